import { dayOf, isoDateTime } from '../calendar.mjs'
import { fillTable } from '../fill-table.mjs'
import { Random } from '../random.mjs'

/** The demo's tables and indexes. */
const schema = `
  create table airport (
    iata text primary key, name text not null, city text, state text,
    latitude real not null, longitude real not null);
  create table flight (
    id integer primary key, departure text not null, delay integer not null,
    distance integer not null, origin text not null references airport,
    destination text not null references airport);
  create index flight_origin on flight (origin);
  create index flight_departure on flight (departure);
`

const airports = [
  ['ATL', 'Hartsfield', 'Atlanta', 'GA', 33.64044444, -84.42694444],
  ['BOS', 'Logan', 'Boston', 'MA', 42.3643475, -71.00517917],
  ['BUR', 'Bob Hope', 'Burbank', 'CA', 34.20061917, -118.3584969],
  ['DFW', 'Dallas-Fort Worth', 'Dallas', 'TX', 32.89595056, -97.0372],
  ['JFK', 'Kennedy', 'New York', 'NY', 40.63975111, -73.77892556],
  ['LAX', 'Los Angeles', 'Los Angeles', 'CA', 33.94253611, -118.4080744],
  ['LGA', 'LaGuardia', 'New York', 'NY', 40.77724306, -73.87260917],
  ['OAK', 'Oakland', 'Oakland', 'CA', 37.72129083, -122.2207167],
  ['ORD', "O'Hare", 'Chicago', 'IL', 41.979595, -87.90446417],
  ['PHL', 'Philadelphia', 'Philadelphia', 'PA', 39.87195278, -75.24114083],
  ['SAN', 'San Diego', 'San Diego', 'CA', 32.73355611, -117.1896567],
  ['SAT', 'San Antonio', 'San Antonio', 'TX', 29.53369444, -98.46977778],
  ['SFO', 'San Francisco', 'San Francisco', 'CA', 37.61900194, -122.3748433],
]

/** A tenth of all flights each: the demo asks for routes with more than five hundred. */
const busyRoutes = [
  ['ATL', 'ORD'],
  ['LGA', 'ATL'],
  ['JFK', 'SFO'],
]
const firstDay = dayOf('2001-01-01')
const days = 181
const milesPerDegree = 60

export function createFlights(database, { rows }) {
  const random = new Random(13)
  database.exec(schema)
  fillTable(database, 'airport', airports)
  fillTable(
    database,
    'flight',
    Array.from({ length: rows }, (_, index) => makeFlight(random, index + 1)),
  )
}

function makeFlight(random, id) {
  const [origin, destination] = random.chance(busyRoutes.length / 10)
    ? random.pick(busyRoutes)
    : random.sample(2, airports).map(([iata]) => iata)
  const isStorm = random.chance(0.1)
  // Few take off at night.
  const minute = random.chance(0.95) ? random.integer(300, 1439) : random.integer(0, 299)
  const day = firstDay + random.integer(0, days - 1)
  return [
    id,
    isoDateTime(day, minute * 60).slice(0, 16),
    isStorm ? random.integer(60, 400) : random.integer(-15, 40),
    distance(origin, destination),
    origin,
    destination,
  ]
}

/** Good enough for a country of this size. */
function distance(origin, destination) {
  const [a, b] = [origin, destination].map((iata) => airports.find((it) => it[0] === iata))
  return Math.round(milesPerDegree * Math.hypot(a[4] - b[4], (a[5] - b[5]) * 0.8))
}
