/** Thrown inside the translator only: the statement stays on SQLite. */
export class Keep extends Error {}

/** @param reason Short and stable, to be counted. */
export function keep(reason: string): never {
  throw new Keep(reason)
}

/** A statement that another try may translate, with the rows of its derived tables numbered. */
export const orderOfSubquery = 'order: subquery'
