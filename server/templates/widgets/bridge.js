// The host's side of the conversation (MCP Apps, 2026-01-26): JSON-RPC by postMessage with the window above this one.
const host = (() => {
  const pending = new Map();
  const handlers = {};
  let last = 0;
  const post = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const notify = (method, params = {}) => post({ method, params });
  const request = (method, params) => new Promise((resolve, reject) => {
    pending.set(++last, { resolve, reject });
    post({ id: last, method, params });
  });

  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || data === null || typeof data !== "object" || data.jsonrpc !== "2.0") return;
    if (data.method === undefined) {
      const waiting = pending.get(data.id);
      pending.delete(data.id);
      if (waiting) data.error ? waiting.reject(new Error(data.error.message)) : waiting.resolve(data.result);
    } else if (data.id === undefined) {
      handlers[data.method]?.(data.params ?? {});
    } else if (data.method === "ping" || data.method === "ui/resource-teardown") {
      post({ id: data.id, result: {} });
    } else {
      post({ id: data.id, error: { code: -32601, message: "Method not found" } });
    }
  });

  function dress(context) {
    const root = document.documentElement;
    if (context.theme) root.dataset.theme = context.theme;
    if (context.locale) root.lang = context.locale;
    for (const [name, value] of Object.entries(context.styles?.variables ?? {}))
      if (name.startsWith("--") && value) root.style.setProperty(name, value);
    const edge = context.safeAreaInsets;
    if (edge) document.body.style.padding = ["top", "right", "bottom", "left"].map((s) => `${12 + edge[s]}px`).join(" ");
  }

  let able = {};
  async function connect(on) {
    handlers["ui/notifications/tool-input"] = ({ arguments: given }) => on.input(given ?? {});
    handlers["ui/notifications/tool-result"] = on.result;
    handlers["ui/notifications/tool-cancelled"] = on.cancelled;
    handlers["ui/notifications/host-context-changed"] = dress;
    const answer = await request("ui/initialize", {
      appInfo: { name: document.title, version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      protocolVersion: "2026-01-26",
    });
    able = answer.hostCapabilities ?? {};
    dress(answer.hostContext ?? {});
    notify("ui/notifications/initialized");
    let height = 0;
    new ResizeObserver(() => {
      const now = Math.ceil(document.documentElement.getBoundingClientRect().height);
      if (now !== height) notify("ui/notifications/size-changed", { width: window.innerWidth, height: (height = now) });
    }).observe(document.documentElement);
  }

  return {
    connect,
    call: (name, given) => request("tools/call", { name, arguments: given }),
    open: (url) => request("ui/open-link", { url }),
    // What the person has chosen is told to the model, where the host takes that.
    tell: (text) => able.updateModelContext && request("ui/update-model-context", { content: [{ type: "text", text }] }).catch(() => {}),
    canCall: () => Boolean(able.serverTools),
  };
})();

// Building a view: texts are only ever text, so that nothing in the data can become markup.
function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const el = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const button = (key, text, onclick, more) => el("button", { type: "button", "data-key": key, onclick, ...more }, text);
const choice = (legend, options, chosen, choose) => el("fieldset", {}, el("legend", {}, legend),
  options.map(([value, text]) => button(`${legend}-${value}`, text, () => choose(value), { "aria-pressed": String(value === chosen) })));
const list = (items) => el("ul", { class: "features" }, items.map((item) => el("li", {}, item)));
const named = (text) => text.replaceAll("_", " ");

// A widget is a view of data and of what the person has chosen so far; whatever changes draws it anew.
function widget({ start, view, summary }) {
  const main = document.getElementById("view");
  const status = document.getElementById("status");
  const app = {
    data: null, input: {}, reply: null, busy: false,
    state: { ...start, ...(window.openai?.widgetState ?? {}) },
    set(change) {
      Object.assign(app.state, change);
      window.openai?.setWidgetState?.(app.state);
      draw();
      const text = app.data && summary?.(app.data, app.state);
      if (text) host.tell(text);
    },
    say(text, bad) {
      status.textContent = text;
      status.className = bad ? "bad" : "";
    },
    // Goes on to another tool; what it says is shown in place, or given to `take`.
    async call(name, given, take) {
      if (app.busy) return;
      app.busy = true;
      app.say("One moment …");
      draw();
      try {
        const result = await host.call(name, given);
        const text = (result.content ?? []).filter((part) => part.type === "text").map((part) => part.text).join("\n");
        if (result.isError) app.say(text || "That did not work.", true);
        else {
          app.say("");
          if (take) take(result.structuredContent, text);
          else app.reply = { text, title: name };
        }
      } catch (error) {
        app.say(`That did not work: ${error.message}`, true);
      } finally {
        app.busy = false;
        draw();
      }
    },
    next(key, text, name, given, take) {
      if (!host.canCall()) return null;
      return button(key, text, () => app.call(name, given, take), { class: "main", "aria-disabled": app.busy && "true" });
    },
  };

  function reply() {
    const [head, ...lines] = app.reply.text.split("\n").filter(Boolean);
    return [
      button("back", "← Back", () => { app.reply = null; draw(); }),
      el("h1", { tabindex: "-1", "data-key": "reply" }, head ?? ""),
      list(lines.map((line) => line.replace(/^- /, ""))),
    ];
  }

  function draw() {
    const key = document.activeElement?.dataset?.key;
    main.setAttribute("aria-busy", String(app.busy || !app.data));
    if (!app.data) return;
    main.replaceChildren(...[app.reply ? reply() : view(app.data, app.state, app)].flat(9).filter(Boolean));
    const again = key && [...main.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
    (again ?? (app.reply && key ? main.querySelector('[data-key="reply"]') : null))?.focus();
  }

  host.connect({
    input: (given) => { app.input = given; },
    result: ({ structuredContent, content, isError }) => {
      if (isError || !structuredContent) {
        app.say((content ?? []).map((part) => part.text ?? "").join("\n") || "There is nothing to show.", Boolean(isError));
        main.setAttribute("aria-busy", "false");
        return;
      }
      app.data = structuredContent;
      app.reply = null;
      app.say("");
      draw();
    },
    cancelled: () => app.say("This was cancelled."),
  }).catch((error) => app.say(`The host did not answer: ${error.message}`, true));
}
const notice = (data) => data.notice ? el("p", { class: "quiet" }, data.notice) : null;
