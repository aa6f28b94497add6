import { dayOf, isoDate } from '../calendar.mjs'
import { fillTable } from '../fill-table.mjs'
import { Random } from '../random.mjs'
import { indexes, schema } from './schema.mjs'
import {
  boxes,
  colors,
  finishes,
  grades,
  instructions,
  metals,
  nations,
  priorities,
  regions,
  remarks,
  segments,
  shipModes,
} from './words.mjs'

const firstDay = dayOf('1992-01-01')
const lastOrderDay = dayOf('1998-08-02')
/** What was received until then may have come back, what ships later is still open. */
const currentDay = dayOf('1995-06-17')
const suppliersPerPart = 4
/** With this one every question finds something in 6000 lines. */
const seed = 15
/** Every so many orders one is large, so that some order passes any bound on its quantity. */
const largeOrderEvery = 100

/**
 * Fills an empty database. Shares that the benchmark's own data give at full size are a bit larger
 * here, so that its narrow questions find something in a few thousand rows.
 *
 * @param rows about so many in the largest table, lineitem
 */
export function createTpch(database, { rows }) {
  const random = new Random(seed)
  const orders = Math.max(100, Math.round(rows / 4))
  const counts = {
    supplier: Math.max(nations.length * 2, Math.round(rows / 600)),
    customer: Math.max(50, Math.round(orders / 5)),
    part: Math.max(100, Math.round(rows / 10)),
    orders,
  }
  database.exec(schema)
  fillTable(
    database,
    'region',
    regions.map((name, key) => [key, name, random.pick(remarks)]),
  )
  fillTable(
    database,
    'nation',
    nations.map(([name, region], key) => [key, name, region, random.pick(remarks)]),
  )
  fillTable(database, 'supplier', makeSuppliers(random, counts))
  fillTable(database, 'customer', makeCustomers(random, counts))
  const parts = makeParts(random, counts)
  fillTable(database, 'part', parts)
  fillTable(database, 'partsupp', makeStock(random, counts))
  const sold = makeOrders(random, counts, (part) => parts[part - 1][7])
  fillTable(database, 'orders', sold.orders)
  fillTable(database, 'lineitem', sold.lines)
  database.exec(indexes)
}

function makeSuppliers(random, counts) {
  return keys(counts.supplier).map((key) => {
    const nation = key % nations.length
    const isDisliked = key % 17 === 0
    const comment = isDisliked ? 'some Customer had loud Complaints' : random.pick(remarks)
    const name = `Supplier#${padded(key, 9)}`
    return [key, name, address(random), nation, phone(random, nation), balance(random), comment]
  })
}

function makeCustomers(random, counts) {
  return keys(counts.customer).map((key) => {
    const nation = random.integer(0, nations.length - 1)
    return [
      key,
      `Customer#${padded(key, 9)}`,
      address(random),
      nation,
      phone(random, nation),
      balance(random),
      random.pick(segments),
      random.pick(remarks),
    ]
  })
}

function makeParts(random, counts) {
  return keys(counts.part).map((key) => {
    const maker = random.integer(1, 5)
    const size = random.chance(0.5) ? random.integer(1, 15) : random.integer(16, 50)
    const wrapping = size <= 5 ? 'SM' : size <= 10 ? 'MED' : size <= 15 ? 'LG' : 'JUMBO'
    return [
      key,
      random.sample(3, colors).join(' '),
      `Manufacturer#${maker}`,
      `Brand#${maker}${random.integer(1, 5)}`,
      `${random.pick(grades)} ${random.pick(finishes)} ${random.pick(metals)}`,
      size,
      `${wrapping} ${random.pick(boxes)}`,
      random.money(900, 2000),
      random.pick(remarks),
    ]
  })
}

function makeStock(random, counts) {
  return keys(counts.part).flatMap((part) =>
    suppliersOf(part, counts).map((supplier) => [
      part,
      supplier,
      random.integer(1, 9999),
      random.money(1, 1000),
      random.pick(remarks),
    ]),
  )
}

function makeOrders(random, counts, priceOf) {
  const orders = []
  const lines = []
  for (const key of keys(counts.orders)) {
    const day = random.integer(firstDay, lastOrderDay)
    const isLarge = key % largeOrderEvery === 0
    const own = keys(isLarge ? 7 : random.integer(1, 7)).map((number) =>
      makeLine(random, counts, priceOf, { order: key, number, day, isLarge }),
    )
    lines.push(...own)
    const open = own.filter((line) => line[9] === 'O').length
    const total = own.reduce((sum, line) => sum + line[5] * (1 + line[7]) * (1 - line[6]), 0)
    const isSpecial = random.chance(0.05)
    orders.push([
      key,
      customerOf(random, counts),
      open === own.length ? 'O' : open === 0 ? 'F' : 'P',
      Math.round(total * 100) / 100,
      isoDate(day),
      random.pick(priorities),
      `Clerk#${padded(random.integer(1, 50), 9)}`,
      0,
      isSpecial ? 'special and urgent requests' : random.pick(remarks),
    ])
  }
  return { orders, lines }
}

function makeLine(random, counts, priceOf, { order, number, day, isLarge }) {
  const part = random.integer(1, counts.part)
  const quantity = isLarge ? random.integer(40, 50) : random.integer(1, 50)
  const shipDay = day + random.integer(1, 121)
  const receiptDay = shipDay + random.integer(1, 30)
  const returned = random.chance(0.5) ? 'R' : 'A'
  return [
    order,
    number,
    part,
    random.pick(suppliersOf(part, counts)),
    quantity,
    Math.round(quantity * priceOf(part) * 100) / 100,
    random.integer(0, 10) / 100,
    random.integer(0, 8) / 100,
    receiptDay <= currentDay ? returned : 'N',
    shipDay > currentDay ? 'O' : 'F',
    isoDate(shipDay),
    isoDate(day + random.integer(30, 90)),
    isoDate(receiptDay),
    random.pick(instructions),
    random.pick(shipModes),
    random.pick(remarks),
  ]
}

/** The suppliers of a part, spread so that each has about as many parts. */
function suppliersOf(part, { supplier }) {
  const step = Math.floor(supplier / suppliersPerPart)
  return keys(suppliersPerPart).map((nth) => ((part + nth * step) % supplier) + 1)
}

/** One customer in three never orders. */
function customerOf(random, { customer }) {
  const key = random.integer(1, customer)
  return key % 3 === 0 ? key - 1 : key
}

function keys(count) {
  return Array.from({ length: count }, (_, index) => index + 1)
}

function padded(number, digits) {
  return String(number).padStart(digits, '0')
}

function address(random) {
  return `${random.integer(1, 999)} ${random.pick(colors)} street`
}

/** The country code tells the nation. */
function phone(random, nation) {
  const group = (digits) => padded(random.integer(0, 10 ** digits - 1), digits)
  return `${nation + 10}-${group(3)}-${group(3)}-${group(4)}`
}

function balance(random) {
  return random.money(-999.99, 9999.99)
}
