// The live counter of the list, and the price of the form while it is being filled in.
// Every page works without this file.

const live = document.querySelector("[data-live]");
if (live) {
  const count = live.querySelector("[data-live-count]");
  const address = `${location.origin.replace(/^http/, "ws")}/ws/status`;
  const connect = () => {
    const socket = new WebSocket(address);
    socket.onmessage = (event) => {
      const status = JSON.parse(event.data);
      live.classList.add("on");
      live.title = `version ${status.version}, ${status.time}`;
      count.textContent = status.quotations;
    };
    // A release cuts the connection when the old version has drained: the new one is there at once.
    socket.onclose = () => {
      live.classList.remove("on");
      setTimeout(connect, 1000 + Math.random() * 2000);
    };
  };
  connect();
}

const form = document.querySelector("[data-price]");
if (form) {
  const total = form.querySelector("[data-price-total]");
  let latest = 0;
  const show = async () => {
    const request = ++latest;
    const sizes = ["width_mm", "height_mm", "quantity"].map((name) => form.elements[name]);
    if (!sizes.every((input) => input.validity.valid)) {
      total.textContent = "–";
      return;
    }
    const data = new FormData(form);
    const wanted = {
      width_mm: Number(data.get("width_mm")),
      height_mm: Number(data.get("height_mm")),
      glazing: data.get("glazing"),
      frame: data.get("frame"),
      quantity: Number(data.get("quantity")),
    };
    const response = await fetch("/api/price", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wanted),
    });
    const price = response.ok ? await response.json() : null;
    if (request !== latest) return;
    total.textContent = price
      ? `EUR ${(price.total_cents / 100).toLocaleString("en", { minimumFractionDigits: 2 })}`
      : "–";
  };
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), 200);
  });
  show().catch(() => {});
}
