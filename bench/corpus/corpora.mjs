import { chinook } from './chinook/chinook.mjs'
import { demo } from './demo/demo.mjs'
import { recipes } from './recipes/recipes.mjs'
import { ssb } from './ssb/ssb.mjs'
import { tpch } from './tpch/tpch.mjs'

export const corpora = Object.freeze([tpch, ssb, chinook, recipes, demo])
