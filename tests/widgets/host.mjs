// A host as people have it: the official bridge, and the widget in a frame that may run scripts and nothing else.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const frame = document.querySelector("iframe");
let bridge;

window.told = [];
window.sizes = [];

window.show = async ({ page, given, result, theme, tools }) => {
  if (bridge) await bridge.close();
  const able = { updateModelContext: { text: {} }, ...(tools && { serverTools: {} }) };
  bridge = new AppBridge(null, { name: "A host", version: "1" }, able, { hostContext: { theme, displayMode: "inline" } });
  bridge.oncalltool = ({ name, arguments: asked }) => window.callTool(name, asked ?? {});
  bridge.onupdatemodelcontext = ({ content }) => {
    window.told.push(content[0].text);
    return {};
  };
  bridge.onsizechange = ({ height }) => {
    window.sizes.push(height);
    frame.style.height = `${height}px`;
  };
  const ready = new Promise((resolve) => { bridge.oninitialized = resolve; });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = page;
  await ready;
  await bridge.sendToolInput({ arguments: given });
  await bridge.sendToolResult(result);
};

window.result = (result) => bridge.sendToolResult(result);
window.theme = (theme) => bridge.setHostContext({ theme });
window.end = () => bridge.teardownResource({});
