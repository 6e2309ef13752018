function account(one, app) {
  const methods = one.paymentMethods;
  const saved = methods.find((method) => method.id === app.state.methods[one.id]) ?? methods.find((method) => method.isDefault) ?? methods[0];
  const name = (method) => `${method.brand} ending in ${method.lastFour}`;
  const pay = () => app.call("att-make-payment", { accountId: one.id, paymentMethodId: saved.id }, ({ structuredContent }) => { app.data.quote = structuredContent; });
  return el("li", {}, el("article", { class: "card" },
    el("h2", {}, one.name, " ", el("span", { class: "tag" }, one.kind)),
    el("p", {}, el("span", { class: "price" }, one.balance.formatted), one.dueDate && ` due ${one.dueDate} `, one.overdue && el("span", { class: "bad" }, "overdue")),
    el("p", { class: "quiet" }, one.autopay ? "Paid by itself when due." : "Not paid by itself."),
    methods.length > 1
      ? el("fieldset", {}, el("legend", {}, "Pay by"), methods.map((method) => button(`method-${method.id}`, name(method),
        () => app.set({ methods: { ...app.state.methods, [one.id]: method.id } }), { "aria-pressed": String(method === saved) })))
      : saved && el("p", {}, name(saved)),
    host.canCall() && el("div", { class: "row" },
      one.balance.cents > 0 && saved && button(`pay-${one.id}`, `Pay ${one.balance.formatted}`, pay, { class: "main", "aria-label": `Pay ${one.balance.formatted} for ${one.name}`, "aria-disabled": app.busy && "true" }),
      button(`autopay-${one.id}`, one.autopay ? "Turn autopay off" : "Turn autopay on",
        () => app.call("att-update-preferences", { accountId: one.id, autopay: !one.autopay }, ({ structuredContent }) => { one.autopay = structuredContent.after.autopay; }),
        { "aria-label": `${one.autopay ? "Turn autopay off" : "Turn autopay on"} for ${one.name}` }))));
}

function payment(quote, app, back) {
  const paid = quote.confirmationNumber !== null;
  const confirm = () => app.call("att-make-payment", { ...(quote.accountId && { accountId: quote.accountId }), quoteToken: quote.quoteToken }, ({ structuredContent: answer }) => {
    app.data.quote = answer;
    const one = app.data.accounts?.find((entry) => entry.id === answer.accountId);
    if (one && answer.confirmationNumber) one.balance = answer.balance;
  });
  return [
    back && button("back", "← Accounts", back),
    el("h1", {}, paid ? "Paid" : quote.quoteToken ? "Confirm the payment" : "No payment was made"),
    el("p", {}, el("span", { class: "price" }, quote.amount.formatted), ` by ${quote.paymentMethod}`),
    el("p", { class: "quiet" }, `Due ${paid ? "now" : "before this payment"}: ${quote.balance.formatted}`),
    paid && el("p", { class: "good" }, `Confirmation number ${quote.confirmationNumber}${quote.repeated ? " (of the payment that was made before)" : ""}`),
    !paid && quote.quoteToken && host.canCall() && el("div", { class: "row" }, button("confirm", `Pay ${quote.amount.formatted}`, confirm, { class: "main", "aria-disabled": app.busy && "true" })),
    !paid && quote.expiresAt && el("p", { class: "quiet" }, `This quote is good until ${new Date(quote.expiresAt).toLocaleTimeString([], { timeStyle: "short" })}.`),
    notice(quote),
  ];
}

const shown = (value) => (value === null ? "not set" : value === true ? "yes" : value === false ? "no" : String(value));
const preferences = (data) => [
  el("h1", {}, "Preferences"),
  el("p", {}, data.changed.length ? `Changed: ${data.changed.join(", ")}.` : "Nothing was different."),
  el("table", {}, el("thead", {}, el("tr", {}, el("td", {}), el("th", { scope: "col" }, "Before"), el("th", { scope: "col" }, "Now"))),
    el("tbody", {}, Object.keys(data.after).map((name) => el("tr", {}, el("th", { scope: "row" }, titled(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))), el("td", {}, shown(data.before[name])), el("td", {}, shown(data.after[name])))))),
  notice(data),
];

widget({
  start: { methods: {} },
  view(data, state, app) {
    if (data.after) return preferences(data);
    if (!data.accounts || data.quote) return payment(data.quote ?? data, app, data.accounts && (() => { data.quote = null; app.set({}); }));
    return [
      el("h1", {}, "Your accounts"),
      el("p", {}, "In all ", el("span", { class: "price" }, data.totalBalance.formatted)),
      el("ul", { class: "cards" }, data.accounts.map((one) => account(one, app))),
      el("div", { class: "row" }, app.next("offers", "Offers for you", "att-for-you", {})),
      notice(data),
    ];
  },
});
