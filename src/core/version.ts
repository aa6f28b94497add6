/** The version of this package, as package.json has it; a bundle has no package.json to read. */
export const packageVersion = '0.1.0'
