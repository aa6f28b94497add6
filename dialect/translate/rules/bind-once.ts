/** A column, a literal or a parameter: as cheap to compute twice as to remember. */
const simple = /^(?:t\d+\.(?:"(?:[^"]|"")*"|c\d+)|htap__\w+|CAST\([^()]*\)|'[^']*'|[-+\d.e]+)$/

/**
 * SQL in which an operand stands several times without being computed several times, which for
 * nested calls would grow without bound.
 *
 * @param name A name that no other `bindOnce` around or inside the body uses.
 */
export function bindOnce(
  operand: string,
  name: `htap__${string}`,
  body: (operand: string) => string,
): string {
  return simple.test(operand)
    ? body(operand)
    : `list_transform([${operand}], lambda ${name}: ${body(name)})[1]`
}
