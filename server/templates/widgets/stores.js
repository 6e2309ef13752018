function map(data, shown, app) {
  const label = `Map of ${shown.length} stores around ${data.origin.label}; the list below says the same`;
  return chart(data.origin.coordinates, data.radiusMiles, label, [data.radiusMiles / 2, data.radiusMiles], (place) => shown.map((store) => {
    const chosen = store.id === app.state.store;
    const [x, y] = place([store.coordinates.longitude, store.coordinates.latitude]);
    return svg("circle", {
      class: chosen ? "pin chosen" : "pin", r: chosen ? 9 : 7, "stroke-width": 1.5, onclick: () => app.set({ store: store.id }),
      cx: x.toFixed(1), cy: y.toFixed(1),
    }, svg("title", {}, store.name));
  }));
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
        el("tr", {}, el("th", { scope: "row" }, titled(day)), el("td", {}, spans.map((span) => `${span.open}–${span.close}`).join(", ") || "closed"))))),
    ],
    el("div", { class: "row" },
      button(`store-${store.id}`, chosen ? "Less" : "More", () => app.set({ store: chosen ? null : store.id }), { "aria-expanded": String(chosen), "aria-label": `${chosen ? "Less" : "More"} about ${store.name}` }),
      chosen && app.next("around", "Stores around this one", "att-store-locator",
        { location: `${store.coordinates.latitude}, ${store.coordinates.longitude}`, storeType: "all", radiusMiles: app.data.radiusMiles },
        app.show))));
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
