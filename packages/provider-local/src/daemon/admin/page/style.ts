/** How the page looks. It follows the light or dark setting of the machine; meaning is never told by colour alone. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #777; --ok: #1a7f37; --bad: #c62828; --canary: #b26a00; }
@media (prefers-color-scheme: dark) { :root { --dim: #999; --ok: #4caf50; --bad: #ef6b6b; --canary: #f0b04a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
h1 { font-size: 1.2rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; }
h3 { font-size: .95rem; margin: 1.5rem 0 .25rem; }
.dim { color: var(--dim); }
.ok { color: var(--ok); }
.bad { color: var(--bad); font-weight: 600; }
.canary { color: var(--canary); font-weight: 600; }
section { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; overflow-x: auto; }
.head { display: flex; gap: .75rem; align-items: baseline; flex-wrap: wrap; margin-bottom: .5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--dim); }
th, td { padding: .15rem .6rem .15rem 0; white-space: nowrap; }
td.n, th.n { text-align: right; }
tr + tr td { border-top: 1px solid var(--line); }
.bar { display: inline-block; width: 6rem; height: .6rem; border: 1px solid var(--line); border-radius: .3rem; overflow: hidden; vertical-align: middle; }
.bar i { display: block; height: 100%; background: var(--ok); }
.bar i.c { background: var(--canary); }
code { font: .9em ui-monospace, monospace; }
ul { list-style: none; margin: .5rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
`;
