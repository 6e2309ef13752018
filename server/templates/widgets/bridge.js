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
    for (const [name, value] of Object.entries(context.styles?.variables ?? {}))
      if (name.startsWith("--") && value) root.style.setProperty(name, value);
    const edge = context.safeAreaInsets;
    if (edge) document.body.style.padding = ["top", "right", "bottom", "left"].map((s) => `${12 + edge[s]}px`).join(" ");
  }

  let able = {};
  async function connect(on) {
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
const titled = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// Coarse outline of the contiguous United States: longitude and latitude in tenths of a degree.
const LAND = "-1247,484 -1230,490 -953,490 -892,480 -846,468 -824,453 -825,430 -790,428 -767,436 -750,450 -715,450 -692,474 -678,471 -670,449 -700,436 -706,420 -740,406 -755,389 -760,369 -757,352 -778,340 -812,318 -800,268 -811,251 -827,282 -842,300 -893,303 -897,290 -936,297 -972,278 -974,259 -994,274 -1031,290 -1065,317 -1111,313 -1147,325 -1171,325 -1206,346 -1225,372 -1243,402 -1240,445"
  .split(" ").map((pair) => pair.split(",").map((tenths) => tenths / 10));

// Cuts a ring of points to the map's frame, one edge of the frame after another (Sutherland and Hodgman).
function cut(points) {
  for (const [axis, sign, edge] of [[0, 1, 0], [0, -1, -600], [1, 1, 0], [1, -1, -260]]) {
    const depth = (point) => sign * point[axis] - edge;
    points = points.flatMap((point, number) => {
      const before = points.at(number - 1);
      const [from, to] = [depth(before), depth(point)];
      const crossing = before.map((value, one) => value + ((point[one] - value) * from) / (from - to));
      return [...((from < 0) === (to < 0) ? [] : [crossing]), ...(to < 0 ? [] : [point])];
    });
  }
  return points;
}
const trace = (points) => points.length > 0 ? `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}Z` : "";

// A map around a point, drawn from nothing but the outline: rings at distances in miles, and what `draw` puts upon it.
function chart(centre, miles, label, rings, draw) {
  const scale = (122 * 69) / miles;
  const squeeze = Math.cos((centre.latitude * Math.PI) / 180);
  const place = ([east, north]) => [300 + (east - centre.longitude) * squeeze * scale, 130 - (north - centre.latitude) * scale];
  const small = ([east, north]) => [486 + (east + 125) * 1.8, 190 + (49.5 - north) * 2.3];
  const here = small([centre.longitude, centre.latitude]);
  const inside = here[0] > 486 && here[0] < 592 && here[1] > 189 && here[1] < 250;
  return [
    svg("svg", { class: "map", viewBox: "0 0 600 260", role: "img", "aria-label": label },
      svg("path", { class: "land", d: trace(cut(LAND.map(place))) }),
      rings.map((ring) => svg("circle", { class: "ring", cx: 300, cy: 130, r: (ring * 122) / miles })),
      svg("path", { class: "origin", d: "M292 130h16M300 122v16", "stroke-width": 2 }),
      draw(place),
      inside && [
        svg("rect", { class: "inset", x: 480, y: 186, width: 116, height: 68, rx: 6 }),
        svg("path", { class: "land", d: trace(LAND.map(small)) }),
        svg("circle", { class: "dot", cx: here[0], cy: here[1], r: 3.5 }),
      ]),
    el("p", { class: "quiet" }, `Dashed: ${rings.map((ring) => +ring.toFixed(1)).join(" and ")} miles around ${inside ? "it; the small map shows where in the country it is" : "it"}.`),
  ];
}

// A widget is a view of data and of what the person has chosen so far; whatever changes draws it anew.
function widget({ start, view, summary }) {
  const main = document.getElementById("view");
  const status = document.getElementById("status");
  const app = {
    data: null, meta: {}, reply: null, busy: false,
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
    // Shows another result of the same tool in place of this one.
    show({ structuredContent, _meta }) {
      app.data = structuredContent;
      app.meta = _meta ?? {};
      app.reply = null;
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
          if (take) take(result);
          else app.reply = { text, from: document.activeElement?.dataset?.key };
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
      button("back", "← Back", () => { const { from } = app.reply; app.reply = null; draw(from); }),
      el("h1", {}, head ?? ""),
      list(lines.map((line) => line.replace(/^- /, ""))),
    ];
  }

  // The focus stays on what has it, or goes to the heading when that is gone.
  function draw(key = document.activeElement?.dataset?.key) {
    main.setAttribute("aria-busy", String(app.busy || !app.data));
    if (!app.data) return;
    main.replaceChildren(...[app.reply ? reply() : view(app.data, app.state, app)].flat(9).filter(Boolean));
    if (!key) return;
    const heading = main.querySelector("h1");
    heading.tabIndex = -1;
    ([...main.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key) ?? heading).focus();
  }

  host.connect({
    result: (result) => {
      const { structuredContent, content, isError } = result;
      if (isError || !structuredContent) {
        app.say((content ?? []).map((part) => part.text ?? "").join("\n") || "There is nothing to show.", Boolean(isError));
        main.setAttribute("aria-busy", "false");
        return;
      }
      app.show(result);
      app.say("");
      draw();
    },
    cancelled: () => app.say("This was cancelled."),
  }).catch((error) => app.say(`The host did not answer: ${error.message}`, true));
}
const notice = (data) => data.notice ? el("p", { class: "quiet" }, data.notice) : null;
