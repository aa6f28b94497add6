import { dayOf, isoDate } from '../calendar.mjs'
import { fillTable } from '../fill-table.mjs'
import { Random } from '../random.mjs'
import { indexes, schema } from './schema.mjs'

const firstDay = dayOf('1992-01-01')
const lastDay = dayOf('1998-12-31')
/** With this one every question finds something in 6000 lines. */
const seed = 3
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The two large markets are in it more than once: the narrowest questions are about them. */
const nations = [
  ['UNITED KINGDOM', 'EUROPE'],
  ['UNITED KINGDOM', 'EUROPE'],
  ['UNITED KINGDOM', 'EUROPE'],
  ['UNITED STATES', 'AMERICA'],
  ['UNITED STATES', 'AMERICA'],
  ['BRAZIL', 'AMERICA'],
  ['CHINA', 'ASIA'],
  ['INDIA', 'ASIA'],
  ['JAPAN', 'ASIA'],
  ['KENYA', 'AFRICA'],
  ['FRANCE', 'EUROPE'],
]
/** Ten cities a nation, of which two are large. */
const cityDigits = [0, 1, 1, 1, 1, 2, 3, 4, 5, 5, 5, 5, 6, 7, 8, 9]
const colors = ['azure', 'coral', 'green', 'khaki', 'navy', 'plum', 'rose', 'snow']
const segments = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY']
const priorities = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECI', '5-LOW']
const shipModes = ['AIR', 'MAIL', 'RAIL', 'SHIP', 'TRUCK']

/** @param rows about so many in the table of facts */
export function createSsb(database, { rows }) {
  const random = new Random(seed)
  const counts = {
    customer: Math.max(100, Math.round(rows / 20)),
    supplier: Math.max(50, Math.round(rows / 60)),
    part: Math.max(200, Math.round(rows / 10)),
  }
  database.exec(schema)
  fillTable(database, 'customer', makeCustomers(random, counts))
  fillTable(database, 'supplier', makeSuppliers(random, counts))
  fillTable(database, 'part', makeParts(random, counts))
  fillTable(database, 'date', makeDates())
  fillTable(database, 'lineorder', makeLines(random, counts, rows))
  database.exec(indexes)
}

function makeCustomers(random, counts) {
  return keys(counts.customer).map((key) => {
    return [key, `Customer#${key}`, ...makePlace(random), random.pick(segments)]
  })
}

function makeSuppliers(random, counts) {
  return keys(counts.supplier).map((key) => [key, `Supplier#${key}`, ...makePlace(random)])
}

/** City, nation and region; a city is its nation's first nine letters and a digit. */
function makePlace(random) {
  const [nation, region] = random.pick(nations)
  return [`${nation.slice(0, 9).padEnd(9)}${random.pick(cityDigits)}`, nation, region]
}

function makeParts(random, counts) {
  return keys(counts.part).map((key) => {
    const maker = `MFGR#${random.integer(1, 5)}`
    const category = `${maker}${random.integer(1, 5)}`
    const color = random.pick(colors)
    const name = `${color} ${random.pick(colors)}`
    const brand = `${category}${random.integer(1, 40)}`
    return [key, name, maker, category, brand, color, random.integer(1, 50)]
  })
}

function makeDates() {
  return keys(lastDay - firstDay + 1).map((nth) => {
    const date = isoDate(firstDay + nth - 1)
    const [year, month] = date.split('-').map(Number)
    const week = Math.ceil((firstDay + nth - dayOf(`${year}-01-01`)) / 7)
    return [dateKey(date), date, year, year * 100 + month, `${months[month - 1]}${year}`, week]
  })
}

function makeLines(random, counts, rows) {
  return keys(rows).map((nth) => {
    const quantity = random.integer(1, 50)
    const discount = random.integer(0, 10)
    const price = quantity * random.integer(90_000, 200_000)
    return [
      Math.ceil(nth / 4),
      ((nth - 1) % 4) + 1,
      random.integer(1, counts.customer),
      random.integer(1, counts.part),
      random.integer(1, counts.supplier),
      dateKey(isoDate(random.integer(firstDay, lastDay))),
      random.pick(priorities),
      quantity,
      price,
      discount,
      Math.round((price * (100 - discount)) / 100),
      random.integer(50_000, 100_000),
      random.pick(shipModes),
    ]
  })
}

/** The date as one number, YYYYMMDD. */
function dateKey(date) {
  return Number(date.replaceAll('-', ''))
}

function keys(count) {
  return Array.from({ length: count }, (_, index) => index + 1)
}
