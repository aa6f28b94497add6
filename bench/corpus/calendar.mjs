const msPerDay = 86_400_000

/** Days since 1970 of an ISO date. */
export function dayOf(isoDate) {
  return Date.parse(`${isoDate}T00:00:00Z`) / msPerDay
}

/** The ISO date of a day since 1970. */
export function isoDate(day) {
  return new Date(day * msPerDay).toISOString().slice(0, 10)
}

/** `YYYY-MM-DD HH:MM:SS`, as SQLite's `datetime()` writes it. */
export function isoDateTime(day, seconds) {
  return new Date(day * msPerDay + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
