const column = (plan) => [
  ["Price", [el("span", { class: "price" }, plan.price.formatted), plan.originalPrice && [" ", el("s", {}, plan.originalPrice.formatted)], ` ${plan.priceNote}`]],
  ["Kind", plan.productType],
  ["Tier", plan.tier],
  ["Features", list(plan.features)],
];

function comparison(chosen) {
  const columns = chosen.map(column);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Comparison" }, el("table", {},
    el("caption", {}, "Side by side"),
    el("thead", {}, el("tr", {}, el("td", {}), chosen.map((plan) => el("th", { scope: "col" }, plan.name)))),
    el("tbody", {}, columns[0].map(([name], row) => el("tr", {}, el("th", { scope: "row" }, name), columns.map((cells) => el("td", {}, cells[row][1])))))));
}

widget({
  start: { kind: "all", chosen: [] },
  summary: (data, state) => state.chosen.length && `The person compares the plans ${state.chosen.join(", ")}.`,
  view(data, state, app) {
    const kinds = [...new Set(data.plans.map((plan) => plan.productType))];
    const shown = data.plans.filter((plan) => state.kind === "all" || plan.productType === state.kind);
    const chosen = data.plans.filter((plan) => state.chosen.includes(plan.id));
    const toggle = (id) => app.set({ chosen: state.chosen.includes(id) ? state.chosen.filter((one) => one !== id) : [...state.chosen, id].slice(-3) });
    return [
      el("h1", {}, "Plans"),
      el("p", { class: "quiet" }, `${shown.length} of ${data.count} shown. Choose up to three to compare.`),
      kinds.length > 1 && choice("Kind", [["all", "All"], ...kinds.map((kind) => [kind, titled(kind)])], state.kind, (kind) => app.set({ kind })),
      chosen.length > 1 && comparison(chosen),
      el("ul", { class: "cards" }, shown.map((plan) => el("li", {}, el("article", { class: state.chosen.includes(plan.id) ? "card chosen" : "card" },
        el("h2", {}, plan.name),
        plan.badge && el("p", { class: "tag" }, plan.badge),
        el("p", {}, el("span", { class: "price" }, plan.price.formatted), plan.originalPrice && [" ", el("s", {}, plan.originalPrice.formatted)]),
        el("p", { class: "quiet" }, plan.priceNote),
        list(plan.features),
        button(`plan-${plan.id}`, "Compare", () => toggle(plan.id), { "aria-pressed": String(state.chosen.includes(plan.id)), "aria-label": `Compare ${plan.name}` }))))),
      el("div", { class: "row" }, app.next("devices", "Devices to go with it", "att-products-carousel", { productType: "phone" })),
      notice(data),
    ];
  },
});
