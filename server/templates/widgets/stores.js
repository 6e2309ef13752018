// Coarse outline of the contiguous United States: longitude, latitude, in tenths of a degree.
const LAND = "-1247,484 -1230,490 -953,490 -892,480 -846,468 -824,453 -825,430 -790,428 -767,436 -750,450 -715,450 -692,474 -678,471 -670,449 -700,436 -706,420 -740,406 -755,389 -760,369 -757,352 -778,340 -812,318 -800,268 -811,251 -827,282 -842,300 -893,303 -897,290 -936,297 -972,278 -974,259 -994,274 -1031,290 -1065,317 -1111,313 -1147,325 -1171,325 -1206,346 -1225,372 -1243,402 -1240,445"
  .split(" ").map((pair) => pair.split(",").map((tenths) => tenths / 10));

function map(data, shown, app) {
  const { latitude, longitude } = data.origin.coordinates;
  const span = Math.max(data.radiusMiles / 55, 0.15);
  const squeeze = Math.cos((latitude * Math.PI) / 180);
  const x = (east) => 300 + ((east - longitude) * squeeze * 200) / span;
  const y = (north) => 130 - ((north - latitude) * 120) / span;
  const outline = LAND.map(([east, north]) => `${x(east).toFixed(1)},${y(north).toFixed(1)}`).join(" ");
  const pins = shown.map((store, number) => svg("circle", {
    class: store.id === app.state.store ? "pin chosen" : "pin", r: store.id === app.state.store ? 9 : 7, "stroke-width": 1.5,
    cx: x(store.coordinates.longitude).toFixed(1), cy: y(store.coordinates.latitude).toFixed(1),
    onclick: () => app.set({ store: store.id }),
  }, svg("title", {}, `${number + 1}. ${store.name}`)));
  return svg("svg", { class: "map", viewBox: "0 0 600 260", role: "img", "aria-label": `Map of ${shown.length} stores around ${data.origin.label}; the list below says the same` },
    svg("polygon", { class: "land", points: outline }),
    svg("circle", { class: "origin", cx: 300, cy: 130, r: 5, "stroke-width": 2 }),
    pins);
}

function entry(store, state, app) {
  const { street, city, state: code, zip } = store.address;
  const where = [street, city, [code, zip].filter(Boolean).join(" ")].filter(Boolean).join(", ");
  const open = store.openNow === null ? null : el("span", { class: store.openNow ? "good" : "bad" }, store.openNow ? "Open now" : "Closed now");
  const chosen = store.id === state.store;
  return el("li", {}, el("article", { class: chosen ? "card chosen" : "card" },
    el("h2", {}, store.name),
    el("p", {}, `${store.distanceMiles} miles · ${named(store.type)} `, open && " · ", open),
    where && el("p", { class: "quiet" }, where),
    chosen && [
      store.phone && el("p", {}, `Phone: ${store.phone}`),
      store.products.length > 0 && el("p", {}, `Products: ${store.products.join(", ")}`),
      store.services.length > 0 && el("p", {}, `Services: ${store.services.join(", ")}`),
      store.hours && el("table", {}, el("caption", {}, `Hours (${store.timeZone})`), el("tbody", {}, Object.entries(store.hours).map(([day, spans]) =>
        el("tr", {}, el("th", { scope: "row" }, day), el("td", {}, spans.map((span) => `${span.open}–${span.close}`).join(", ") || "closed"))))),
    ],
    el("div", { class: "row" },
      button(`store-${store.id}`, chosen ? "Less" : "More", () => app.set({ store: chosen ? null : store.id }), { "aria-expanded": String(chosen), "aria-label": `${chosen ? "Less" : "More"} about ${store.name}` }),
      chosen && app.next("around", "Stores around this one", "att-store-locator",
        { location: `${store.coordinates.latitude}, ${store.coordinates.longitude}`, storeType: "all", radiusMiles: app.data.radiusMiles },
        (data) => { app.data = data; }))));
}

widget({
  start: { type: "all", open: false, store: null },
  summary: (data, state) => {
    const store = data.stores.find((one) => one.id === state.store);
    return store && `The person is looking at the store ${store.name} (${store.id}).`;
  },
  view(data, state, app) {
    const shown = data.stores.filter((store) => (state.type === "all" || store.type === state.type) && (!state.open || store.openNow));
    return [
      el("h1", {}, `Stores near ${data.origin.label}`),
      el("p", { class: "quiet" }, `${data.totalInRadius} within ${data.radiusMiles} miles; ${shown.length} shown.`),
      map(data, shown, app),
      choice("Kind", [["all", "All"], ["retail", "Retail"], ["authorized_retailer", "Authorized retailer"]], state.type, (type) => app.set({ type })),
      el("div", { class: "row" }, button("open", "Open now", () => app.set({ open: !state.open }), { "aria-pressed": String(state.open) })),
      el("ul", { class: "cards" }, shown.map((store) => entry(store, state, app))),
      shown.length === 0 && el("p", {}, "No store is left with these filters."),
      notice(data),
    ];
  },
});
