const LABELS = { fiber: "Fiber", internet_air: "Internet Air" };

function picture(data) {
  const good = data.availability.filter((one) => one.available);
  const rings = good.map((one, number) => svg("circle", { class: "land", cx: 300, cy: 80, r: 70 - 24 * number, "stroke-width": 2 }));
  const words = good.map((one) => `${LABELS[one.serviceType] ?? one.serviceType}: ${one.areas.join(", ")}`).join("; ");
  return svg("svg", { class: "map", viewBox: "0 0 600 160", role: "img", "aria-label": words ? `${data.place.label} lies within ${words}` : `${data.place.label} lies in no coverage area` },
    rings,
    svg("circle", { class: "pin", cx: 300, cy: 80, r: 7, "stroke-width": 1.5 }),
    svg("text", { x: 312, y: 76 }, data.place.label.slice(0, 42)),
    svg("text", { x: 312, y: 92 }, `${data.place.latitude.toFixed(2)}, ${data.place.longitude.toFixed(2)}`));
}

widget({
  start: { address: "" },
  summary: (data) => `The person has checked home internet at ${data.address}.`,
  view(data, state, app) {
    const field = el("input", { type: "text", id: "address", "data-key": "address", value: state.address, autocomplete: "street-address", maxlength: 300, oninput: (event) => { state.address = event.target.value; } });
    const check = (event) => {
      event.preventDefault();
      if (!state.address.trim()) return app.say("Write an address first.", true);
      app.call("att-fiber-coverage-checker", { address: state.address, serviceType: "all" }, (next) => { app.data = next; app.set({}); });
    };
    return [
      el("h1", {}, `Home internet at ${data.address}`),
      picture(data),
      el("p", { class: "quiet" }, `Placed by its ${named(data.place.precision)}.`),
      el("ul", { class: "cards" }, data.availability.map((one) => el("li", {}, el("article", { class: "card" },
        el("h2", {}, LABELS[one.serviceType] ?? one.serviceType),
        el("p", { class: one.available ? "good" : "bad" }, one.available ? `Available: ${one.areas.join(", ")}` : "Not available here"),
        one.note && el("p", {}, one.note),
        el("ul", {}, one.plans.map((plan) => el("li", {}, el("p", {}, el("strong", {}, plan.name), ` ${plan.price.formatted} ${plan.priceNote}`), list(plan.features)))))))),
      host.canCall() && el("form", { class: "row", onsubmit: check }, el("label", { for: "address" }, "Another address"), field, el("button", { class: "main", "data-key": "check", "aria-disabled": app.busy && "true" }, "Check")),
      el("div", { class: "row" }, app.next("backup", "Stay online in an outage", "att-internet-backup-offer", {})),
      notice(data),
    ];
  },
});
