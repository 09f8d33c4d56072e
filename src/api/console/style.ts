/** The one style sheet of the pages: light and dark as the reader's system is, one column on a phone. */
export const style = `
:root{color-scheme:light dark;--back:#fff;--card:#f6f7f9;--text:#1b1d21;--soft:#5b6270;--line:#dcdfe5;--link:#0b57a4;
--good:#136c34;--bad:#a4161a;--busy:#7a4b00;--good-back:#e3f4e8;--bad-back:#fbe6e6;--busy-back:#fdf0d9}
@media(prefers-color-scheme:dark){:root{--back:#14161a;--card:#1d2026;--text:#e8eaee;--soft:#a3aab8;--line:#343943;
--link:#8ab4f8;--good:#7bd69a;--bad:#ff9a9a;--busy:#ffca7a;--good-back:#17301f;--bad-back:#3a1c1e;--busy-back:#352a14}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;color:var(--text);background:var(--back)}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;padding-top:1rem;padding-bottom:.75rem}
header strong{margin-right:auto}header nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem}
header a[aria-current]{color:var(--text);font-weight:600;text-decoration:none}
main{padding-bottom:3rem}footer{color:var(--soft);font-size:.875rem;padding-bottom:2rem}
h1{font-size:1.6rem;line-height:1.25;margin:.75rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}p{margin:.5rem 0}
a{color:var(--link)}a:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--back);padding:.25rem .5rem}
.soft{color:var(--soft)}.small{font-size:.875rem}.number{text-align:right;font-variant-numeric:tabular-nums}
.badge{display:inline-block;padding:0 .55rem;border-radius:1rem;font-size:.875rem;font-weight:600;white-space:nowrap;
background:var(--card);color:var(--soft);border:1px solid var(--line)}
.good{color:var(--good)}.bad{color:var(--bad)}.busy{color:var(--busy)}
.badge.good{background:var(--good-back);border-color:transparent}.badge.bad{background:var(--bad-back);border-color:transparent}
.badge.busy{background:var(--busy-back);border-color:transparent}
.notice{padding:.6rem .9rem;border-radius:.5rem;background:var(--card);border-left:4px solid var(--line);overflow-wrap:anywhere}
.notice.good{background:var(--good-back);border-color:var(--good);color:inherit}
.notice.bad{background:var(--bad-back);border-color:var(--bad);color:inherit}
.notice.busy{background:var(--busy-back);border-color:var(--busy);color:inherit}
.notice ul{margin:.25rem 0;padding-left:1.2rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600;font-size:.875rem;color:var(--soft);white-space:nowrap}td:last-child,th:last-child{padding-right:0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:.75rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
pre,code{font:.875rem/1.5 ui-monospace,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;overflow-x:auto;margin:.4rem 0}
pre.whole{user-select:all;white-space:pre-wrap;overflow-wrap:anywhere}
.plain{white-space:nowrap}
table.packages td:nth-child(2){min-width:9rem}
details{margin:.5rem 0}summary{cursor:pointer;padding:.25rem 0}
progress{width:100%;max-width:30rem;height:.9rem;accent-color:var(--busy)}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:end;margin:.75rem 0}
label{display:grid;gap:.15rem;font-size:.875rem;color:var(--soft)}
input,button{font:inherit;color:inherit;padding:.35rem .7rem;border:1px solid var(--line);border-radius:.4rem;background:var(--back)}
button{background:var(--card);font-weight:600;cursor:pointer}
@media(max-width:42rem){
table.stack thead{position:absolute;left:-99rem}
table.stack tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--line)}
table.stack td{display:block;border:0;padding:.05rem 0;text-align:left}
table.stack td:empty{display:none}
table.stack td[data-label]::before{content:attr(data-label) ": ";color:var(--soft)}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.4rem}}
`;
