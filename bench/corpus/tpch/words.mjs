/** Regions with their nations, by key; a nation's key is its place in the flat list. */
export const regions = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST']

/** Name and region of each nation, by key. */
export const nations = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
]

export const segments = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY']
export const priorities = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW']
export const shipModes = ['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK']
export const instructions = ['COLLECT COD', 'DELIVER IN PERSON', 'NONE', 'TAKE BACK RETURN']
export const colors = [
  'almond',
  'azure',
  'beige',
  'blue',
  'chocolate',
  'coral',
  'forest',
  'green',
  'ivory',
  'khaki',
  'lemon',
  'linen',
  'navy',
  'orchid',
  'plum',
  'rose',
  'salmon',
  'snow',
]
export const finishes = ['ANODIZED', 'BRUSHED', 'BURNISHED', 'PLATED', 'POLISHED']
export const grades = ['ECONOMY', 'LARGE', 'MEDIUM', 'PROMO', 'SMALL', 'STANDARD']
export const metals = ['BRASS', 'COPPER', 'NICKEL', 'STEEL', 'TIN']
export const boxes = ['BAG', 'BOX', 'CASE', 'PACK', 'PKG']

/** What comments are made of. */
export const remarks = [
  'the parcels wait in line',
  'regular accounts sleep above the pending ideas',
  'quick deposits were counted twice',
  'ironic theories hang around',
  'nobody has asked since',
  'blithely packed by hand',
]
