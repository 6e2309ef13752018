const KINDS = { phone: "Phones", tablet: "Tablets", watch: "Watches" };

widget({
  start: { brand: "all", most: "all", device: null },
  summary: (data, state) => {
    const device = data.products.find((one) => one.deviceId === state.device);
    return device && `The person is looking at the ${device.name} (${device.deviceId}).`;
  },
  view(data, state, app) {
    const brands = [...new Set(data.products.map((one) => one.brand))];
    const most = state.most === "all" ? Infinity : Number(state.most) * 100;
    const shown = data.products.filter((one) => (state.brand === "all" || one.brand === state.brand) && one.fromPrice.cents <= most);
    return [
      el("h1", {}, KINDS[data.productType] ?? "Devices"),
      el("p", { class: "quiet" }, `${shown.length} of ${data.count} shown.`),
      brands.length > 1 && choice("Brand", [["all", "All"], ...brands.map((brand) => [brand, brand])], state.brand, (brand) => app.set({ brand })),
      choice("Up to", [["all", "any price"], ["300", "$300"], ["600", "$600"], ["1000", "$1,000"]], state.most, (most) => app.set({ most })),
      el("ul", { class: "strip", tabindex: "0", role: "list", "aria-label": "Devices" }, shown.map((one) => el("li", {}, el("article", { class: one.deviceId === state.device ? "card chosen" : "card" },
        el("h2", {}, one.name),
        el("p", { class: "quiet" }, one.summary),
        el("p", {}, el("span", { class: "price" }, one.fromPrice.formatted), one.originalPrice && [" ", el("s", {}, one.originalPrice.formatted)]),
        el("p", { class: "quiet" }, `or ${one.fromMonthly.formatted} a month · ${one.rating} of 5 stars`),
        el("p", {}, one.colours.join(", ")),
        host.canCall() && button(`device-${one.deviceId}`, "Details", () => {
          app.set({ device: one.deviceId });
          app.call("att-device-details", { deviceId: one.deviceId });
        }, { class: "main", "aria-label": `Details of ${one.name}` }))))),
      shown.length === 0 && el("p", {}, "No device is left with these filters."),
      notice(data),
    ];
  },
});
