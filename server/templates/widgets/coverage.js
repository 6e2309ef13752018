const LABELS = { fiber: "Fiber", internet_air: "Internet Air" };

const PLACED = { point: "at exactly that point", zip: "at the middle of its ZIP code", city: "at the middle of the city" };

// What can be had nearby comes beside the result: the model has no use for outlines.
function picture({ place, availability }, outlines) {
  const words = availability.filter((one) => one.available).map((one) => `${LABELS[one.serviceType] ?? one.serviceType}: ${one.areas.join(", ")}`).join("; ");
  const label = words ? `Map: ${place.label} lies within ${words}` : `Map: ${place.label} lies in no coverage area`;
  return chart(place, 40, label, [20], (put) => outlines.map(({ serviceType, rings }) => svg("path", {
    class: serviceType === "fiber" ? "area fiber" : "area air",
    d: rings.map((ring) => trace(cut(ring.map(put)))).join(""),
  })));
}

widget({
  start: { address: "" },
  summary: (data) => `The person has checked home internet at ${data.address}.`,
  view(data, state, app) {
    const field = el("input", { type: "text", id: "address", "data-key": "address", value: state.address, autocomplete: "street-address", maxlength: 300, oninput: (event) => { state.address = event.target.value; }, onkeydown: (event) => event.key === "Enter" && check() });
    // Hosts' frames send no forms.
    const check = () => {
      if (!state.address.trim()) return app.say("Write an address first.", true);
      app.call("att-fiber-coverage-checker", { address: state.address, serviceType: "all" }, app.show);
    };
    return [
      el("h1", {}, `Home internet at ${data.address}`),
      picture(data, app.meta.outlines ?? []),
      app.meta.outlines?.length > 0 && el("p", { class: "row quiet" }, el("span", { class: "key fiber", "aria-hidden": "true" }), "Fiber", el("span", { class: "key air", "aria-hidden": "true" }), "Internet Air"),
      el("p", { class: "quiet" }, `Placed ${PLACED[data.place.precision] ?? ""}.`),
      el("ul", { class: "cards" }, data.availability.map((one) => el("li", {}, el("article", { class: "card" },
        el("h2", {}, LABELS[one.serviceType] ?? one.serviceType),
        el("p", { class: one.available ? "good" : "bad" }, one.available ? `Available: ${one.areas.join(", ")}` : "Not available here"),
        one.note && el("p", {}, one.note),
        el("ul", {}, one.plans.map((plan) => el("li", {}, el("p", {}, el("strong", {}, plan.name), ` ${plan.price.formatted} ${plan.priceNote}`), list(plan.features)))))))),
      host.canCall() && el("div", { class: "row", role: "search" }, el("label", { for: "address" }, "Another address"), field,
        button("check", "Check", check, { class: "main", "aria-disabled": app.busy && "true" })),
      el("div", { class: "row" }, app.next("backup", "Stay online in an outage", "att-internet-backup-offer", {})),
      notice(data),
    ];
  },
});
