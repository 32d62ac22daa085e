// Looks at the shop in a real browser and writes what it sees to its output, as JSON; the test judges it.
//
//   node look.mjs CHROMIUM pictures ORIGIN PATH...      pictures, each by itself and all on one page
//
// With SCREENSHOT=FILE it also keeps what it saw last.

import { chromium } from "playwright-core";

/** The longest that anything may take, on a machine that is busy with other tests. */
const PATIENCE_MS = 60_000;

const [executablePath, what, origin, ...paths] = process.argv.slice(2);

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
  const seen = await { pictures }[what](page);
  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  console.log(JSON.stringify({ ...seen, elsewhere, complaints }));
} catch (error) {
  console.error("The browser complained:", complaints);
  throw error;
} finally {
  await browser.close();
}
