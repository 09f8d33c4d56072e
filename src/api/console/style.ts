/**
 * The one style sheet of the pages. Type: 12, 14, 17, 22 px. Space: steps of 4 px. Colours stand for what states mean:
 * good, bad, busy (being made or waiting), calm (nothing to do); none of them is ever alone, a word or sign is beside it.
 * Light and dark as the reader's system is, one column on a phone.
 */
export const style = `
:root{color-scheme:light dark;--back:#fff;--card:#f5f6f8;--raised:#fff;--text:#1a1d23;--soft:#565e6c;--line:#dfe2e8;--edge:#868e9c;--link:#0a55a3;
--good:#11652f;--bad:#a3151a;--busy:#744600;--calm:#45536b;--good-back:#e2f4e7;--bad-back:#fce6e6;--busy-back:#fdefd5;--calm-back:#e9edf4;
--good-fill:#2f9e58;--bad-fill:#d0393e;--busy-fill:#d18a1b;--calm-fill:#9aa7bd}
@media(prefers-color-scheme:dark){:root{--back:#13151a;--card:#1b1e25;--raised:#20242c;--text:#e6e9ee;--soft:#a2aab8;--line:#30353f;--edge:#78818f;--link:#8ab6f9;
--good:#7cd79b;--bad:#ff9d9d;--busy:#ffca7c;--calm:#b4c3dd;--good-back:#15301e;--bad-back:#3b1b1d;--busy-back:#362912;--calm-back:#252c39;
--good-fill:#3aa564;--bad-fill:#e0565a;--busy-fill:#d9982f;--calm-fill:#6d7c95}}
*{box-sizing:border-box}
html{scroll-padding-top:4rem}
body{font:14px/1.5 system-ui,-apple-system,"Segoe UI",Cantarell,"Noto Sans",sans-serif;margin:0;color:var(--text);background:var(--back);
font-variant-numeric:tabular-nums}
.bar,main,footer{max-width:82rem;margin:0 auto;padding:0 1rem}
header{position:sticky;top:0;z-index:3;background:var(--back);border-bottom:1px solid var(--line)}
.bar{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:center;min-height:3rem}
.brand{font-weight:700;letter-spacing:.02em;color:var(--text);text-decoration:none;padding:.25rem 0}
header nav{display:flex;flex-wrap:wrap;gap:0 .25rem}
header nav a{padding:.3rem .6rem;border-radius:.35rem;color:var(--soft);text-decoration:none}
header nav a:hover{background:var(--card);color:var(--text)}
header nav a[aria-current]{color:var(--text);font-weight:600;background:var(--card)}
.find{position:relative;margin:.35rem 0 .35rem auto;flex:0 1 22rem;flex-wrap:nowrap;gap:.35rem}
.find input{width:100%;padding-right:2rem}
.find button{flex:none}
.find kbd{position:absolute;right:4.1rem;bottom:.42rem;font:12px/1.4 ui-monospace,monospace;color:var(--soft);border:1px solid var(--line);border-radius:.25rem;padding:0 .35rem}
.find input:focus+kbd{display:none}
main{padding-top:.5rem;padding-bottom:3rem}
footer{color:var(--soft);font-size:12px;padding-top:1rem;padding-bottom:2rem;border-top:1px solid var(--line)}
h1{font-size:22px;line-height:1.3;font-weight:650;margin:1rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:17px;line-height:1.35;font-weight:600;margin:2rem 0 .5rem}h3{font-size:14px;font-weight:600;margin:1.25rem 0 .25rem}
h1 .badge,h2 .badge{vertical-align:.15em}
p{margin:.5rem 0}ul{margin:.4rem 0;padding-left:1.25rem}
a{color:var(--link);text-underline-offset:2px;text-decoration-thickness:1px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;z-index:4;background:var(--back);padding:.25rem .5rem}
.soft{color:var(--soft)}.small{font-size:12px}.plain{white-space:nowrap}.lead{font-size:17px;line-height:1.45}
.number{text-align:right}
h1 .soft,h2 .soft{font-weight:400}
.badge{display:inline-block;padding:0 .5rem;border-radius:1rem;font-size:12px;line-height:1.65;font-weight:600;white-space:nowrap;
background:var(--calm-back);color:var(--calm)}
.good{color:var(--good)}.bad{color:var(--bad)}.busy{color:var(--busy)}.calm{color:var(--calm)}
.badge.good{background:var(--good-back)}.badge.bad{background:var(--bad-back)}.badge.busy{background:var(--busy-back)}
.badge::before{font-weight:700;margin-right:.3rem}
.badge.good::before{content:"✓"}.badge.bad::before{content:"✕"}.badge.busy::before{content:"◔"}.badge.calm::before{content:"–"}
.notice{padding:.55rem .8rem;border-radius:.4rem;background:var(--card);border-left:3px solid var(--edge);overflow-wrap:anywhere;margin:.6rem 0}
.notice.good{background:var(--good-back);border-color:var(--good-fill);color:inherit}
.notice.bad{background:var(--bad-back);border-color:var(--bad-fill);color:inherit}
.notice.busy{background:var(--busy-back);border-color:var(--busy-fill);color:inherit}
.notice ul{margin:.25rem 0}.notice p{margin:.15rem 0}
.empty{padding:1rem;border:1px dashed var(--edge);border-radius:.4rem;color:var(--soft)}
.empty code{color:var(--text)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem 1rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
th{font-weight:600;font-size:12px;color:var(--soft);white-space:nowrap}
thead th{position:sticky;top:3rem;background:var(--back);z-index:1;box-shadow:inset 0 -1px var(--line);border-bottom:0}
.wide thead th{position:static}
tbody tr:hover{background:var(--card)}
td:last-child,th:last-child{padding-right:.25rem}td:first-child,th:first-child{padding-left:.25rem}
td time{white-space:nowrap}
th.number,th:has(.number){text-align:right}
td details{margin:0}td summary{padding:0}
table.composes{table-layout:fixed}
table.composes th:nth-child(1){width:9.5rem}table.composes th:nth-child(3){width:15rem}table.composes th:nth-child(4){width:18.5rem}table.composes th:nth-child(5){width:4rem}
.chain+dl,.chain-list+dl,div+dl{margin-top:1.25rem}
main nav{display:flex;flex-wrap:wrap;gap:.25rem}
main nav a{padding:.15rem .6rem;border:1px solid var(--line);border-radius:1rem;text-decoration:none;color:var(--soft)}
main nav a:hover{background:var(--card);color:var(--text)}
main nav a[aria-current]{color:var(--text);font-weight:600;background:var(--card);border-color:var(--edge)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:.6rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;min-width:0}
pre,code,kbd{font:12.5px/1.5 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",monospace}
code{overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.5rem .7rem;overflow-x:auto;margin:.4rem 0;max-height:44rem}
pre.whole{user-select:all;white-space:pre-wrap;overflow-wrap:anywhere}
.copy{position:relative}.copy button{position:absolute;top:.3rem;right:.3rem;font-size:12px;padding:.1rem .5rem;background:var(--raised)}
.copy pre{padding-right:4.5rem}
details{margin:.5rem 0}summary{cursor:pointer;padding:.25rem 0}
progress{width:100%;max-width:22rem;height:.5rem;accent-color:var(--busy-fill);vertical-align:middle}
form{display:flex;flex-wrap:wrap;gap:.5rem .6rem;align-items:end;margin:.75rem 0}
label{display:grid;gap:.15rem;font-size:12px;color:var(--soft)}
input,button,select,textarea{font:inherit;font-size:14px;color:var(--text);padding:.3rem .6rem;border:1px solid var(--edge);border-radius:.35rem;background:var(--raised);min-width:0}
button{background:var(--card);font-weight:600;cursor:pointer}
button:hover{background:var(--calm-back)}
.beside{display:grid;grid-template-columns:minmax(20rem,26rem) minmax(0,1fr);gap:0 2rem;align-items:start}
.ask{flex-direction:column;align-items:stretch;gap:.75rem;margin-top:.6rem}.ask label{gap:.2rem}.ask textarea{resize:vertical;font:12.5px/1.5 ui-monospace,"Cascadia Mono","DejaVu Sans Mono",monospace}
.ask details{margin:0}.ask details[open]{display:grid;gap:.75rem}.ask details label:not(.tick){margin-bottom:.6rem}
fieldset{border:1px solid var(--line);border-radius:.35rem;margin:0 0 .6rem;padding:.3rem .6rem .5rem;min-width:0}legend{font-size:12px;color:var(--soft);padding:0 .25rem}
label.tick{display:inline-flex;align-items:center;gap:.35rem;font-size:14px;color:var(--text);margin-right:.9rem;overflow-wrap:anywhere}
.buttons{display:flex;flex-wrap:wrap;gap:.5rem;margin:0}.first{background:var(--link);border-color:var(--link);color:var(--back)}.first:hover{background:var(--text);border-color:var(--text)}
[aria-busy=true]{opacity:.6}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.6rem;margin:.75rem 0;padding:0;list-style:none}
.tile{padding:.55rem .8rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card)}
.tile b{display:block;font-size:22px;line-height:1.25;font-weight:600}
.tile.bad,.tile.busy,.tile.good{color:inherit}.tile.bad{border-left:3px solid var(--bad-fill)}.tile.busy{border-left:3px solid var(--busy-fill)}.tile.good{border-left:3px solid var(--good-fill)}
svg{display:block;max-width:100%;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Cantarell,"Noto Sans",sans-serif;fill:var(--text)}
svg .title{font-size:13px;font-weight:600}svg .soft,svg .scale{fill:var(--soft)}svg .scale{font-size:11px}
svg text.good{fill:var(--good)}svg text.bad{fill:var(--bad)}svg text.busy{fill:var(--busy)}svg text.calm{fill:var(--calm)}
svg rect.node{fill:var(--card);stroke:var(--line)}svg rect.here{stroke:var(--link);stroke-width:2}
svg rect.fill-good{fill:var(--good-fill)}svg rect.fill-bad{fill:var(--bad-fill)}svg rect.fill-busy{fill:var(--busy-fill)}svg rect.fill-calm{fill:var(--calm-fill)}svg rect.fill-none{fill:var(--line)}
svg path.edge{fill:none;stroke:var(--edge);stroke-width:1.5}svg a text.title{fill:var(--link)}
svg a:hover rect.node{stroke:var(--link)}
svg line{stroke:var(--line)}
.waterfall th[scope=row]{font-weight:400;font-size:14px;color:var(--text);width:14rem}.waterfall th.part{padding-left:1.25rem;color:var(--soft)}
svg.stages{display:block;width:100%;max-width:26rem;height:1.1rem;margin:.25rem 0 .1rem}
.waterfall td{vertical-align:middle;white-space:nowrap}.waterfall td:nth-child(2){width:100%}.waterfall svg{width:100%;height:.75rem}
.path{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.4rem .5rem;align-items:center;margin:.4rem 0 1rem}
.path li{display:flex;flex-wrap:wrap;gap:.4rem .5rem;align-items:center}.how{font-size:12px;color:var(--soft);overflow-wrap:anywhere}
.step{display:inline-grid;padding:.25rem .6rem;border:1px solid var(--line);border-radius:.35rem;background:var(--card);overflow-wrap:anywhere}.step.here{border-color:var(--link);box-shadow:inset 0 0 0 1px var(--link)}
td.length{width:45%;vertical-align:middle}td.length svg{width:100%;height:.75rem}
.chain-list{display:none}
.strip{display:inline-block;vertical-align:middle;max-width:none}
@media(max-width:60rem){.beside{grid-template-columns:minmax(0,1fr)}.chain{display:none}.chain-list{display:block;list-style:none;padding:0;margin:.5rem 0}
.chain-list li{border-left:2px solid var(--edge);padding:.3rem 0 .3rem .8rem;margin-left:.35rem;overflow-wrap:anywhere}
.chain-list li.here{border-color:var(--link)}}
@media(max-width:42rem){
header{position:static}html{scroll-padding-top:0}
.bar{padding-top:.35rem;padding-bottom:.35rem}
.find{flex:1 1 100%;margin:.1rem 0}.find kbd{display:none}
header nav{gap:0}header nav a{padding:.3rem .26rem;font-size:13px}.bar{column-gap:.6rem}
table.stack thead{position:absolute;left:-99rem}
table.stack,table.stack tbody{display:block}
table.stack.composes{table-layout:auto}
table.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
table.stack td{display:block;border:0;padding:.05rem 0;text-align:left;overflow-wrap:anywhere}
table.stack td:first-child{padding-left:0}
table.stack td:empty{display:none}
table.stack td[data-label]::before{content:attr(data-label) ": ";color:var(--soft)}
.waterfall th[scope=row]{white-space:normal;font-size:12px;padding-right:.5rem;width:auto}.waterfall td,.waterfall thead th{font-size:12px;padding-right:.4rem}
.waterfall td:nth-child(3),.waterfall th:nth-child(3){display:none}
.tiles{grid-template-columns:1fr 1fr}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}
.copy pre{padding-right:.7rem;padding-top:2rem}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
