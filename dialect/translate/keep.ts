/** Thrown inside the translator only: the statement stays on SQLite. */
export class Keep extends Error {}

/** @param reason Short and stable, to be counted. */
export function keep(reason: string): never {
  throw new Keep(reason)
}
