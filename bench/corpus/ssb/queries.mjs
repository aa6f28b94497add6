/** What the discounts of a time cost. */
const discounted = (db) =>
  db
    .selectFrom('lineorder')
    .innerJoin('date', 'd_datekey', 'lo_orderdate')
    .select((eb) => eb.fn.sum(eb('lo_extendedprice', '*', eb.ref('lo_discount'))).as('revenue'))

/** Revenue by year and brand, of what suppliers of a region sold. */
const byBrand = (db) =>
  db
    .selectFrom('lineorder')
    .innerJoin('date', 'd_datekey', 'lo_orderdate')
    .innerJoin('part', 'p_partkey', 'lo_partkey')
    .innerJoin('supplier', 's_suppkey', 'lo_suppkey')
    .select((eb) => [eb.fn.sum('lo_revenue').as('revenue'), 'd_year', 'p_brand1'])
    .groupBy(['d_year', 'p_brand1'])
    .orderBy('d_year')
    .orderBy('p_brand1')

/** Revenue by year between places of the customers and of the suppliers. */
const betweenPlaces = (db, customerPlace, supplierPlace) =>
  db
    .selectFrom('customer')
    .innerJoin('lineorder', 'lo_custkey', 'c_custkey')
    .innerJoin('supplier', 's_suppkey', 'lo_suppkey')
    .innerJoin('date', 'd_datekey', 'lo_orderdate')
    .select((eb) => [customerPlace, supplierPlace, 'd_year', eb.fn.sum('lo_revenue').as('revenue')])
    .groupBy([customerPlace, supplierPlace, 'd_year'])
    .orderBy('d_year')
    .orderBy('revenue', 'desc')

/** Profit by year and two other columns. */
const profit = (db, ...columns) =>
  db
    .selectFrom('date')
    .innerJoin('lineorder', 'lo_orderdate', 'd_datekey')
    .innerJoin('customer', 'c_custkey', 'lo_custkey')
    .innerJoin('supplier', 's_suppkey', 'lo_suppkey')
    .innerJoin('part', 'p_partkey', 'lo_partkey')
    .select((eb) => [
      'd_year',
      ...columns,
      eb.fn.sum(eb('lo_revenue', '-', eb.ref('lo_supplycost'))).as('profit'),
    ])
    .groupBy(['d_year', ...columns])
    .orderBy('d_year')
    .$call((query) => columns.reduce((ordered, column) => ordered.orderBy(column), query))

const largeCities = ['UNITED KI1', 'UNITED KI5']

export const queries = [
  {
    name: 'Q1.1 discounts of a year',
    build: (db) =>
      discounted(db)
        .where('d_year', '=', 1993)
        .where((eb) => eb.between('lo_discount', 1, 3))
        .where('lo_quantity', '<', 25),
  },
  {
    name: 'Q1.2 discounts of a month',
    build: (db) =>
      discounted(db)
        .where('d_yearmonthnum', '=', 199401)
        .where((eb) => eb.between('lo_discount', 4, 6))
        .where((eb) => eb.between('lo_quantity', 26, 35)),
  },
  {
    name: 'Q1.3 discounts of a week',
    build: (db) =>
      discounted(db)
        .where('d_weeknuminyear', '=', 6)
        .where('d_year', '=', 1994)
        .where((eb) => eb.between('lo_discount', 5, 7))
        .where((eb) => eb.between('lo_quantity', 26, 35)),
  },
  {
    name: 'Q2.1 brands of a category',
    build: (db) =>
      byBrand(db).where('p_category', '=', 'MFGR#12').where('s_region', '=', 'AMERICA'),
  },
  {
    name: 'Q2.2 a range of brands',
    build: (db) =>
      byBrand(db)
        .where((eb) => eb.between('p_brand1', 'MFGR#2221', 'MFGR#2228'))
        .where('s_region', '=', 'ASIA'),
  },
  {
    name: 'Q2.3 one brand',
    build: (db) => byBrand(db).where('p_brand1', '=', 'MFGR#2239').where('s_region', '=', 'EUROPE'),
  },
  {
    name: 'Q3.1 between nations',
    build: (db) =>
      betweenPlaces(db, 'c_nation', 's_nation')
        .where('c_region', '=', 'ASIA')
        .where('s_region', '=', 'ASIA')
        .where('d_year', '>=', 1992)
        .where('d_year', '<=', 1997),
  },
  {
    name: 'Q3.2 between cities of a nation',
    build: (db) =>
      betweenPlaces(db, 'c_city', 's_city')
        .where('c_nation', '=', 'UNITED STATES')
        .where('s_nation', '=', 'UNITED STATES')
        .where('d_year', '>=', 1992)
        .where('d_year', '<=', 1997),
  },
  {
    name: 'Q3.3 between two cities',
    build: (db) =>
      betweenPlaces(db, 'c_city', 's_city')
        .where((eb) => eb.or(largeCities.map((city) => eb('c_city', '=', city))))
        .where((eb) => eb.or(largeCities.map((city) => eb('s_city', '=', city))))
        .where('d_year', '>=', 1992)
        .where('d_year', '<=', 1997),
  },
  {
    name: 'Q3.4 between two cities in a month',
    build: (db) =>
      betweenPlaces(db, 'c_city', 's_city')
        .where('c_city', 'in', largeCities)
        .where('s_city', 'in', largeCities)
        .where('d_yearmonth', '=', 'Dec1997'),
  },
  {
    name: 'Q4.1 profit by nation',
    build: (db) =>
      profit(db, 'c_nation')
        .where('c_region', '=', 'AMERICA')
        .where('s_region', '=', 'AMERICA')
        .where('p_mfgr', 'in', ['MFGR#1', 'MFGR#2']),
  },
  {
    name: 'Q4.2 profit by category',
    build: (db) =>
      profit(db, 's_nation', 'p_category')
        .where('c_region', '=', 'AMERICA')
        .where('s_region', '=', 'AMERICA')
        .where('d_year', 'in', [1997, 1998])
        .where('p_mfgr', 'in', ['MFGR#1', 'MFGR#2']),
  },
  {
    name: 'Q4.3 profit by brand in a nation',
    build: (db) =>
      profit(db, 's_city', 'p_brand1')
        .where('c_region', '=', 'AMERICA')
        .where('s_nation', '=', 'UNITED STATES')
        .where('d_year', 'in', [1997, 1998])
        .where('p_category', '=', 'MFGR#14'),
  },
]
