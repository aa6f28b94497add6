import { catalogueReports } from './catalogue-reports.mjs'
import { customerReports } from './customer-reports.mjs'
import { salesReports } from './sales-reports.mjs'
import { absenceOfChinook, copyChinook } from './source.mjs'

/** A shop for music: reports over the Chinook sample database, as it is published. */
export const chinook = Object.freeze({
  name: 'chinook',
  about: 'reports of a music shop over the Chinook sample database',
  absence: absenceOfChinook,
  create: copyChinook,
  queries: Object.freeze([...salesReports, ...customerReports, ...catalogueReports]),
})
