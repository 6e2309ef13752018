const entries = (data) => data.offers ?? data.services ?? [];

widget({
  start: { group: "all", chosen: null },
  summary: (data, state) => {
    const one = entries(data).find((entry) => entry.id === state.chosen);
    return one && `The person is looking at ${one.name ?? one.title} (${one.id}).`;
  },
  view(data, state, app) {
    const groups = [...new Set(entries(data).map((entry) => entry.category).filter(Boolean))];
    const shown = entries(data).filter((entry) => state.group === "all" || entry.category === state.group);
    const kind = (entry) => (entry.wirelessPlans?.length || entry.category === "wireless" ? "wireless" : entry.internetPlans || entry.category === "internet" ? "internet" : "all");
    return [
      el("h1", {}, data.services ? "Services" : "Offers"),
      el("p", { class: "quiet" }, `${shown.length} of ${data.count} shown.`),
      groups.length > 1 && choice("Kind", [["all", "All"], ...groups.map((group) => [group, titled(group)])], state.group, (group) => app.set({ group })),
      el("ul", { class: "cards" }, shown.map((entry) => {
        const chosen = entry.id === state.chosen;
        const name = entry.name ?? entry.title;
        return el("li", {}, el("article", { class: chosen ? "card chosen" : "card" },
          el("h2", {}, name),
          el("p", {}, entry.summary ?? entry.description),
          el("p", {}, entry.price && [el("span", { class: "price" }, entry.price.formatted), " "], el("span", { class: "quiet" }, entry.price ? entry.priceNote : titled(entry.priceNote))),
          entry.reason && el("p", { class: entry.eligible === false ? "bad" : "good" }, entry.reason),
          chosen && [
            list(entry.features ?? entry.howItWorks ?? []),
            [entry.howToGet, entry.backupData, entry.equipment, entry.terms].filter(Boolean).map((text) => el("p", {}, text)),
          ],
          el("div", { class: "row" },
            button(`offer-${entry.id}`, chosen ? "Less" : "More", () => app.set({ chosen: chosen ? null : entry.id }), { "aria-expanded": String(chosen), "aria-label": `${chosen ? "Less" : "More"} about ${name}` }),
            chosen && app.next("plans", "Plans to go with it", "att-plans-list", { productType: kind(entry) }))));
      })),
      shown.length === 0 && el("p", {}, "There is nothing to show."),
      notice(data),
    ];
  },
});
