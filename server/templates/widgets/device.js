widget({
  start: { model: 0, storage: 0, colour: 0 },
  summary: (data, state) => {
    const model = data.models[state.model] ?? data.models[0];
    const storage = model.storage[state.storage] ?? model.storage[0];
    return `The person has chosen ${model.name}, ${storage.label}, ${data.colours[state.colour]?.name ?? ""} (${data.deviceId}).`;
  },
  view(data, state, app) {
    const model = data.models[state.model] ?? data.models[0];
    const storage = model.storage[state.storage] ?? model.storage[0];
    const now = storage.discountedPrice ?? storage.retailPrice;
    return [
      el("h1", {}, data.name),
      el("p", { class: "quiet" }, `${data.brand} · ${data.rating.average} of 5 stars by ${data.rating.count} people · ${data.released}`),
      el("p", {}, data.summary),
      data.models.length > 1 && choice("Model", data.models.map((one, number) => [number, one.name]), state.model, (chosen) => app.set({ model: chosen, storage: 0 })),
      choice("Storage", model.storage.map((one, number) => [number, one.label]), state.storage, (chosen) => app.set({ storage: chosen })),
      el("fieldset", {}, el("legend", {}, "Colour"), data.colours.map((colour, number) => button(`colour-${number}`,
        [el("span", { class: "swatch", "aria-hidden": "true", style: `background:${/^#[0-9a-f]{6}$/.test(colour.hex) ? colour.hex : "none"}` }), ` ${colour.name}`],
        () => app.set({ colour: number }), { "aria-pressed": String(number === state.colour) }))),
      el("p", {}, el("span", { class: "price" }, now.formatted), storage.discountedPrice && [" ", el("s", {}, storage.retailPrice.formatted)],
        el("span", { class: "quiet" }, ` or ${storage.monthlyPrice.formatted} a month for 36 months`)),
      el("p", { class: "quiet" }, `Screen: ${model.screen}`),
      list(data.features),
      el("div", { class: "row" }, app.next("plans", "Plans for it", "att-plans-list", { productType: "wireless" })),
      notice(data),
    ];
  },
});
