/** How two lists of rows differ, in a few words; null when nothing tells them apart. */
export function findDifference(actual, expected) {
  if (actual.length !== expected.length) {
    return `${actual.length} rows instead of ${expected.length}`
  }
  for (const [index, row] of expected.entries()) {
    const difference = differenceOfRows(actual[index], row)
    if (difference !== null) {
      return `row ${index + 1}: ${difference}`
    }
  }
  return null
}

function differenceOfRows(actual, expected) {
  const names = Object.keys(expected)
  const actualNames = Object.keys(actual)
  if (names.length !== actualNames.length || names.some((name, at) => name !== actualNames[at])) {
    return `columns ${actualNames.join(', ')} instead of ${names.join(', ')}`
  }
  const name = names.find((it) => !isSame(actual[it], expected[it]))
  return name === undefined
    ? null
    : `${name} is ${show(actual[name])} instead of ${show(expected[name])}`
}

/** Types count: neither 1 and 1n nor 0 and -0 are the same. */
function isSame(actual, expected) {
  return Buffer.isBuffer(expected)
    ? Buffer.isBuffer(actual) && actual.equals(expected)
    : Object.is(actual, expected)
}

function show(value) {
  if (Buffer.isBuffer(value)) {
    return `x'${value.toString('hex')}'`
  }
  if (typeof value === 'string') {
    return JSON.stringify(value)
  }
  return Object.is(value, -0) ? '-0' : `${value}${typeof value === 'bigint' ? 'n' : ''}`
}
