// Looks at the shop in a real browser and writes what it sees to its output, as JSON; the test judges it.
//
//   node look.mjs CHROMIUM docs ORIGIN                  the page of the API
//   node look.mjs CHROMIUM pictures ORIGIN PATH...      pictures, each by itself and all on one page
//   node look.mjs CHROMIUM charts ORIGIN PATH...        pages with charts, on a wide and on a narrow window
//
// With AUTHORIZATION=TEXT it signs in to charts, and with SCREENSHOT=FILE it also keeps what it saw last.

import { chromium } from "playwright-core";

/** The longest that anything may take, on a machine that is busy with other tests. */
const PATIENCE_MS = 60_000;
/** Where the shop is reached through another server, which adds this to its paths. */
const PREFIX = "/shop";

const [executablePath, what, origin, ...paths] = process.argv.slice(2);

/** Each operation that the page lists: its method and path. */
async function operations(page) {
  await page.locator(".opblock").first().waitFor();
  return page.locator(".opblock-summary").evaluateAll((summaries) =>
    summaries.map((summary) => ({
      method: summary.querySelector(".opblock-summary-method").textContent.toLowerCase(),
      path: summary.querySelector(".opblock-summary-path").dataset.path,
    })),
  );
}

/** Sends the request that lists the products, with what the page proposes, and reads what it shows then. */
async function tried(page) {
  const list = page.locator(".opblock-get").filter({
    has: page.locator('[data-path="/products"], [data-path="/api/products"]'),
  });
  await list.locator(".opblock-summary-control").click();
  const linked = new URL(page.url()).hash;
  await list.getByRole("button", { name: "Execute" }).click();
  const answer = list.locator(".live-responses-table .response");
  await answer.locator("pre").first().waitFor();
  return {
    linked,
    address: await list.locator(".request-url pre").textContent(),
    status: await answer.locator(".response-col_status").evaluate((cell) => cell.firstChild.textContent),
    body: await answer.locator("pre").first().textContent(),
    showsDuration: await answer.getByText("Request duration").isVisible(),
  };
}

/** The ways to sign in that the page offers, by their names. */
async function schemes(page) {
  const authorize = page.getByRole("button", { name: "Authorize" });
  if ((await authorize.count()) === 0) return [];
  await authorize.click();
  const names = page.locator(".auth-container h4 code");
  await names.first().waitFor();
  return names.allTextContents();
}

async function docs(page) {
  await page.goto(`${origin}/api/docs`);
  const seen = {
    title: await page.title(),
    operations: await operations(page),
    hasFilter: await page.locator(".operation-filter-input").isVisible(),
    tried: await tried(page),
    schemes: await schemes(page),
  };
  // As another server would pass requests on, and only those.
  await page.route(`${origin}/**`, async (route) => {
    const url = route.request().url();
    if (!url.startsWith(`${origin}${PREFIX}/`)) return route.abort();
    await route.fulfill({ response: await route.fetch({ url: url.replace(PREFIX, "") }) });
  });
  await page.goto(`${origin}${PREFIX}/api/docs`);
  return { ...seen, operationsUnderPrefix: await operations(page) };
}

/** The size of each picture of the page, once all are there. */
async function sizes(page, count) {
  await page.waitForFunction(
    (count) => document.images.length === count && [...document.images].every((image) => image.complete),
    count,
  );
  return page.evaluate(() => [...document.images].map((image) => [image.naturalWidth, image.naturalHeight]));
}

async function pictures(page) {
  // What a browser asks every host for, where no page says otherwise.
  await page.route(`${origin}/favicon.ico`, (route) => route.fulfill({ status: 204 }));
  const alone = [];
  for (const path of paths) {
    await page.goto(origin + path);
    alone.push(...(await sizes(page, 1)));
  }
  const gallery = paths.map((path) => `<img src="${path}">`).join("");
  await page.route(`${origin}/gallery`, (route) => route.fulfill({ contentType: "text/html", body: gallery }));
  await page.goto(`${origin}/gallery`);
  return { alone, together: await sizes(page, paths.length) };
}

/** Charts as those see and hear them who look at the page, and whether it fits into a window. */
async function charts(page) {
  await page.setExtraHTTPHeaders({ authorization: process.env.AUTHORIZATION });
  const pages = [];
  for (const path of paths) {
    await page.goto(origin + path);
    const seen = await page.evaluate(() => ({
      title: document.title,
      // The colour comes from the style in the page, which the policy allows by its hash.
      bars: [...document.querySelectorAll("rect.bar")].map((bar) => getComputedStyle(bar).fill),
      rows: document.querySelectorAll("tbody tr").length,
    }));
    const named = await page.getByRole("img").evaluateAll((charts) =>
      charts.map((chart) =>
        chart.getAttribute("aria-labelledby").split(" ").map((id) => document.getElementById(id).textContent),
      ),
    );
    const fits = [];
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 1600 });
      fits.push(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    }
    await page.setViewportSize({ width: 1280, height: 1600 });
    pages.push({ ...seen, named, fits });
  }
  return { pages };
}

const browser = await chromium.launch({
  executablePath,
  // Only root cannot have it.
  chromiumSandbox: process.getuid() !== 0,
  // Nobody but this machine can be reached, and the browser itself asks nobody.
  args: [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-first-run",
  ],
});
const elsewhere = [];
const complaints = [];
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(about|blob|data):/.test(url)) elsewhere.push(url);
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure().errorText}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  // Where the policy forbids something, the browser says so as an error, too.
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  const seen = await { docs, pictures, charts }[what](page);
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  console.log(JSON.stringify({ ...seen, elsewhere, complaints }));
} catch (error) {
  console.error("The browser complained:", complaints);
  throw error;
} finally {
  await browser.close();
}
