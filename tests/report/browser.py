"""Opens a report in Chromium as people do, and says what is wrong with it, as a list in JSON.

usage: browser.py PAGE.html REPORT.json [FOLDER for screenshots]

At the width of a desk and of a phone, light and dark: what the console says, what is asked of the network, what runs over the page's
edge, what cannot be read for its contrast (WCAG 2.2 AA), headings that skip a level, charts and tables without a name, and
figures that differ from the JSON, short names that break.
"""

import json
import os
import shutil
import sys

from playwright.sync_api import sync_playwright

CHECKS = """
() => {
  const wrong = [];
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} px wide, of ${root.clientWidth}`);
  const scrolls = e => e.closest('.scroll') && e.closest('.scroll') !== e;
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > root.clientWidth + 1 && !scrolls(e) && getComputedStyle(e).position !== 'absolute')
      wrong.push(`${e.tagName} ${e.className} ends at ${box.right}`);
  }
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const colour = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = colour(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.closest('svg') || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(colour(style.color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const key = style.color + behind(e);
    if (ratio < 4.5 && !seen.has(key)) { seen.add(key); wrong.push(`${e.tagName} ${e.className}: contrast ${ratio.toFixed(2)}`); }
  }
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
    const next = Number(h.tagName[1]);
    if (next > level + 1) wrong.push(`${h.textContent}: h${next} after h${level}`);
    level = next;
  }
  if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
  for (const svg of document.querySelectorAll('svg'))
    if (svg.getAttribute('aria-hidden') !== 'true' && !(svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label')))
      wrong.push('a chart without a name');
  for (const figure of document.querySelectorAll('figure'))
    if (!figure.querySelector('details table tbody tr')) wrong.push('a chart without its figures as a table');
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption && !table.closest('[aria-label]')) wrong.push('a table without a name');
    if (!table.querySelector('thead th[scope=col]')) wrong.push('a table without headings');
  }
  // A short name stays on its line; where it is narrow, an address may break behind its `@`.
  for (const e of document.querySelectorAll('th.name')) {
    const own = document.createRange(), parts = e.querySelector('.parts');
    own.selectNodeContents(e);
    if (parts) own.setEndBefore(parts);
    const name = own.toString(), tops = new Set([...own.getClientRects()].map(r => Math.round(r.top)));
    const lines = root.clientWidth > 720 ? 1 : name.split('@').length;
    if (name.length <= 22 && !/[\\s-]/.test(name) && tops.size > lines) wrong.push(`${name} takes ${tops.size} lines`);
  }
  for (const e of document.querySelectorAll('.scroll')) if (e.tabIndex !== 0) wrong.push('what scrolls cannot be reached by keys');
  for (const a of document.querySelectorAll('a[href^="#"]'))
    if (!document.getElementById(a.getAttribute('href').slice(1))) wrong.push(`nothing at ${a.getAttribute('href')}`);
  return wrong;
}
"""
FIGURES = "() => [...document.querySelectorAll('data[data-at]')].map(e => [e.dataset.at, e.value])"


def at(document, pointer):
    """RFC 6901."""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def main():
    page_path, json_path, *folder = sys.argv[1:]
    with open(json_path, encoding="utf-8") as file:
        report = json.load(file)
    wrong = []
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for width, height in ((1280, 900), (390, 844)):
            for scheme in ("light", "dark"):
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                asked = []
                page.on("console", lambda message: wrong.append(f"console: {message.text}"))
                page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
                page.on("dialog", lambda dialog: (wrong.append("a script ran"), dialog.dismiss()))
                page.on("request", lambda request: asked.append(request.url))
                page.goto(f"file://{os.path.abspath(page_path)}")
                wrong += [f"{width} {scheme}: {what}" for what in page.evaluate(CHECKS)]
                if len(asked) != 1:
                    wrong.append(f"asked for {asked}")
                if page.evaluate("() => document.scripts.length"):
                    wrong.append("a script is in the page")
                if page.evaluate("() => getComputedStyle(document.querySelector('.tiles')).display") != "grid":
                    wrong.append("the style does not count: does the policy's digest fit it?")
                figures = page.evaluate(FIGURES)
                for pointer, value in figures:
                    if str(at(report, pointer)) != value:
                        wrong.append(f"{pointer}: {value} on the page, {at(report, pointer)} in the JSON")
                if folder:
                    page.screenshot(path=f"{folder[0]}/{width}-{scheme}.png", full_page=True)
                context.close()
        browser.close()
    print(json.dumps({"figures": len(figures), "wrong": wrong}))


main()
