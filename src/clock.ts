/** The only place that reads time. Pure functions take `now`; loops take a clock. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
