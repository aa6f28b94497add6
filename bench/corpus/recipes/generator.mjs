import { dayOf, isoDate, isoDateTime } from '../calendar.mjs'
import { fillTable } from '../fill-table.mjs'
import { Random } from '../random.mjs'
import { indexes, schema } from './schema.mjs'

const firstNames = [
  'Ada',
  'Björn',
  'Chloé',
  'Dana',
  'Eve',
  'Femi',
  'Gus',
  'Hana',
  'Ivo',
  'Jennifer',
]
const lastNames = ['Aniston', 'Åberg', 'Brown', 'da Silva', 'Moreau', 'Nakamura', "O'Hara", 'Smith']
const petNames = ['Bello', 'Catto', 'Doggo', 'Fluffy', 'Hammo', 'Ñandú', 'Rex', 'Sam']
const species = ['cat', 'dog', 'dog', 'hamster', 'parrot']
const toyNames = ['ball', 'bone', 'mouse', 'rope', 'squeaky duck', '50% bone']
const reasonCosts = { checkup: 45, vaccination: 60, dental: 180, injury: 240, surgery: 900 }
const tags = ['first', 'follow-up', 'insured', 'urgent', 'weekend']
const cities = ['Berlin', 'Lyon', 'Oslo', 'Porto']
const tree = [
  ['animals', null],
  ['mammals', 1],
  ['birds', 1],
  ['cats', 2],
  ['dogs', 2],
  ['parrots', 3],
  ['terriers', 5],
  ['supplies', null],
  ['toys', 8],
]

const firstDay = dayOf('2021-01-01')
const lastDay = dayOf('2024-12-31')
const secondsPerDay = 86_400

/** @param rows about so many visits */
export function createPets(database, { rows }) {
  const random = new Random(40)
  const counts = {
    person: Math.round(rows / 10),
    pet: Math.round(rows / 6),
    toy: Math.round(rows / 4),
  }
  database.exec(schema)
  fillTable(database, 'person', makePeople(random, counts))
  fillTable(database, 'pet', makePets(random, counts))
  fillTable(database, 'toy', makeToys(random, counts))
  fillTable(database, 'visit', makeVisits(random, counts, rows))
  fillTable(
    database,
    'category',
    tree.map(([name, parent], index) => [index + 1, name, parent]),
  )
  database.exec(indexes)
}

function makePeople(random, counts) {
  return keys(counts.person).map((id) => {
    const first = random.pick(firstNames)
    const last = random.pick(lastNames)
    const createdDay = random.integer(firstDay, lastDay)
    const profile = {
      city: random.pick(cities),
      newsletter: random.chance(0.5),
      score: random.integer(0, 100),
      ...(random.chance(0.5) ? { nickname: `${first.slice(0, 2)}${id}` } : {}),
    }
    return [
      id,
      first,
      orNull(random, 0.4, random.pick(firstNames)),
      last,
      random.pick(['female', 'male', 'other']),
      orNull(random, 0.9, isoDate(random.integer(dayOf('1940-01-01'), dayOf('2006-12-31')))),
      `${first}.${id}@example.com`.toLowerCase(),
      random.chance(0.85) ? 1 : 0,
      id === 1 ? null : random.integer(1, Math.ceil(id / 4)),
      JSON.stringify(profile),
      moment(random, createdDay),
      orNull(random, 0.8, moment(random, random.integer(createdDay, lastDay))),
      orNull(random, 0.1, moment(random, random.integer(createdDay, lastDay))),
    ]
  })
}

/** Some people have none. */
function makePets(random, counts) {
  return keys(counts.pet).map((id) => [
    id,
    random.pick(petNames),
    random.integer(1, Math.ceil(counts.person * 0.8)),
    random.pick(species),
    orNull(random, 0.8, isoDate(random.integer(dayOf('2010-01-01'), firstDay))),
    orNull(random, 0.9, random.integer(1, 400) / 10),
    random.chance(0.6) ? 1 : 0,
  ])
}

function makeToys(random, counts) {
  return keys(counts.toy).map((id) => [
    id,
    random.pick(toyNames),
    random.integer(1, counts.pet),
    random.money(1, 60),
  ])
}

function makeVisits(random, counts, rows) {
  return keys(rows).map((id) => {
    const day = random.integer(firstDay, lastDay)
    const reason = random.pick(Object.keys(reasonCosts))
    const cost = Math.round(reasonCosts[reason] * (50 + random.integer(0, 100))) / 100
    const paidDay = day + random.integer(0, 40)
    return [
      id,
      random.integer(1, counts.pet),
      random.integer(1, 12),
      moment(random, day),
      reason,
      cost,
      orNull(random, 0.9, paidDay * secondsPerDay + random.integer(0, secondsPerDay - 1)),
      orNull(random, 0.3, random.pick(['Came late', 'came back', 'Afraid of dogs', 'needs 50%'])),
      JSON.stringify(random.sample(random.integer(0, 3), tags)),
    ]
  })
}

function moment(random, day) {
  return isoDateTime(day, random.integer(8 * 3600, 18 * 3600))
}

function orNull(random, probability, value) {
  return random.chance(probability) ? value : null
}

function keys(count) {
  return Array.from({ length: count }, (_, index) => index + 1)
}
