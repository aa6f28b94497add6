/** How often a deep test repeats: a short form by default, the whole by an environment variable. */
export function repetitions(variable: string, short: number): number {
  const wanted = Number(process.env[variable])
  return Number.isInteger(wanted) && wanted > 0 ? wanted : short
}
