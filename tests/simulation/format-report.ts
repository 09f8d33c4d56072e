import type { SimulationReport } from './simulate.ts';

const DAY_HOURS = 24;

/** Returns a report as people read it. */
export function formatReport(report: SimulationReport): string {
  const { cpuMsPerEvent: cpu, minuteSeconds: minute } = report;
  const asked = report.composed + report.unchanged + report.reused;
  const saved = report.windows === 0 ? 0 : 1 - report.composed / report.windows;
  const perDay = (report.events / report.hours) * DAY_HOURS;
  const lines = [
    `${report.hours.toFixed(1)} hours of a distribution: ${report.messages} messages (${report.lost} more were lost), ${report.events} events, ${report.sideTags} side tags`,
    `${report.rules} rules, ${report.series} series, ${report.windows} windows: ${Object.entries(
      report.outcomes,
    )
      .map(([outcome, count]) => `${count} ${outcome}`)
      .join(', ')}`,
    `of ${report.events} events ${report.composed} composed; of ${asked} requests ${report.unchanged} were unchanged, ${report.reused} reused; ${Math.round(saved * 100)} % of the windows composed nothing`,
    `a minute of life is decided within ${minute.median.toFixed(2)} s, 99 of 100 within ${minute.p99.toFixed(2)} s, the worst (${minute.mostMessages} messages) within ${minute.most.toFixed(2)} s`,
    `${Math.round(report.eventsPerSecond)} events a second while busy; CPU per event ${cpu.service.toFixed(2)} ms service, ${cpu.postgresql.toFixed(2)} ms PostgreSQL`,
    `database ${Math.round(report.databaseBytesPerEvent)} bytes an event, ${((report.databaseBytesPerEvent * perDay) / 1e6).toFixed(0)} MB a day; memory ${Math.round(report.peakMegabytes)} MB at most, hub and model included`,
    `such a life takes ${(report.coreShare * 100).toFixed(2)} % of one core for listening, rules and PostgreSQL: one core carries ${Math.floor(1 / report.coreShare)} of them`,
  ];
  return `${lines.join('\n')}\n`;
}
