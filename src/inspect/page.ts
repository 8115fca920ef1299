import { SCRIPT } from "./page_script.ts";
import { STYLE } from "./page_style.ts";

/** The page, which is the same for all pools: what it shows comes as events. */
export function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Pools</title>
<style nonce="${nonce}">${STYLE}</style>
<header>
<h1>Pools</h1>
<p id="link" role="status">Connecting …</p>
<button id="hold" type="button" aria-pressed="false">Pause</button>
</header>
<p id="none" hidden>No pool is watched.</p>
<main id="pools"></main>
<p id="news" class="unseen" role="status"></p>
<noscript><p>This page is drawn by a script. <a href="stats">The same as JSON</a>
</p></noscript>
<footer>Times are of the last 5 minutes; p50 and p99 are within 4.4 %. The same as
<a id="stats" href="stats">JSON</a> and for
<a id="metrics" href="metrics">Prometheus</a>.</footer>
<script nonce="${nonce}">${SCRIPT}</script>
</html>
`;
}
