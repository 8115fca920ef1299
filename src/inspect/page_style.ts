/** Colours say what words and shapes say as well. */
export const STYLE = `
:root {
  --ground: #fff; --card: #f5f6f8; --ink: #16181d; --soft: #555b66;
  --edge: #d3d7de; --used: #1d5fd1; --idle: #16794a; --creating: #7a3fc4;
  --overdue: #b34700; --destroying: #7d2436; --spare: #8a909b;
  --healthy: #16794a; --waiting: #8a5a00; --bad: #b3261e; --p50: #16794a;
  --p99: #b34700;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111317; --card: #1b1e24; --ink: #eceef2; --soft: #a9b0bc;
    --edge: #363b45; --used: #6ea4ff; --idle: #5fd39a; --creating: #c39bff;
    --overdue: #ffa45c; --destroying: #ff9bb0; --spare: #7b828e;
    --healthy: #5fd39a; --waiting: #f3c14b; --bad: #ff8a80; --p50: #5fd39a;
    --p99: #ffa45c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 68rem; padding: 0 1rem 2rem;
  background: var(--ground); color: var(--ink);
  font: 16px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; }
h1 { font-size: 1.25rem; margin: .75rem 0; }
h2 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 0 0 .4rem; }
p { margin: .25rem 0; }
a { color: inherit; }
button {
  font: inherit; color: inherit; background: var(--card); padding: .3rem .8rem;
  border: 1px solid var(--spare); border-radius: .4rem; cursor: pointer;
}
:focus-visible { outline: 3px solid var(--used); outline-offset: 2px; }
#link { flex: 1; color: var(--soft); }
#link[data-lost] { color: var(--bad); font-weight: 700; }
.old { filter: grayscale(1); }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.pool {
  --state: var(--healthy); background: var(--card); margin: 0 0 1.25rem;
  padding: 1rem; border: 1px solid var(--edge); border-radius: .6rem;
  border-left: .5rem solid var(--state);
}
.pool[data-state=waiting], .pool[data-state=paused] { --state: var(--waiting); }
.pool[data-state=closed] { --state: var(--soft); }
.pool[data-state=saturated], .pool[data-state=outage],
.pool[data-state=leaking] { --state: var(--bad); }
.top { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.badge {
  background: var(--state); color: var(--ground); font-weight: 700;
  padding: .05rem .6rem; border-radius: 1rem;
}
.say { font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.say::first-letter { text-transform: uppercase; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem; margin: .75rem 0; }
dl div { min-width: 4.5rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 700; }
.parts {
  display: grid; gap: 1.25rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
}
.wide { grid-column: 1 / -1; }
figure { margin: 0 0 .6rem; }
figcaption, .note { color: var(--soft); font-size: .85rem; }
svg { display: block; max-width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; }
.stripes { display: flex; flex-wrap: wrap; gap: 0 1.75rem; }
.used { fill: var(--used); }
.idle { fill: none; stroke: var(--idle); stroke-width: 2; }
.creating { fill: var(--creating); }
.overdue { fill: var(--overdue); }
.destroying { fill: none; stroke: var(--destroying); stroke-width: 2.5; }
.spare { fill: var(--spare); }
.key {
  display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none;
  margin: .3rem 0 0; padding: 0; font-size: .85rem;
}
.key li { display: flex; gap: .35rem; align-items: center; }
.bar { fill: var(--used); }
.wait { fill: var(--waiting); }
.axis { stroke: var(--edge); fill: none; }
.trend { fill: none; stroke-width: 2; }
.p50 { stroke: var(--p50); stroke-width: 2; }
.p99 { stroke: var(--p99); stroke-width: 2; stroke-dasharray: 4 3; }
svg text.p50, svg text.p99 { stroke: none; fill: var(--ink); }
.failure { color: var(--bad); overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 700; font-size: .95rem; }
th, td {
  text-align: left; padding: .25rem .5rem .25rem 0; vertical-align: top;
  border-top: 1px solid var(--edge); overflow-wrap: anywhere;
}
th:first-child, td:first-child { white-space: nowrap; width: 6rem; }
td.long { color: var(--bad); font-weight: 700; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .25rem 0; }
[hidden] { display: none; }
summary { cursor: pointer; }
footer { color: var(--soft); font-size: .85rem; }
`;
