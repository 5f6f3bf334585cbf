// SPDX-License-Identifier: MIT
// What speedscope makes of files: node speedscope.mjs NODE_MODULES < PATHS
//
// For each path a line of JSON: `path`; `invalid`, what its JSON schema says against a file of its
// own format, or null; `faults`, what the page complained of; `title`, the profile that it shows; and
// `saved`, the file that it saves when asked to: that is made of what it has understood, not of what
// it was given.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = process.argv[2];
const require = createRequire(join(modules, 'x.js'));
const Ajv = require('ajv');
const { chromium } = require('playwright-core');
const release = join(modules, 'speedscope/dist/release');
const FLAGS = [
	'--headless',
	'--no-sandbox',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	// it draws with WebGL
	'--use-angle=swiftshader',
	'--enable-unsafe-swiftshader',
];

const schema = JSON.parse(readFileSync(join(release, 'file-format-schema.json'), 'utf8'));
const validate = new Ajv({ allErrors: false, strict: false }).compile(schema);
const browser = await chromium.launch({
	executablePath: process.env.FIREGLASS_CHROMIUM || '/usr/bin/chromium',
	args: FLAGS,
});

function invalid(text) {
	return validate(JSON.parse(text)) ? null : JSON.stringify(validate.errors);
}

async function save(page) {
	const [download] = await Promise.all([
		page.waitForEvent('download', { timeout: 30000 }),
		page.keyboard.press('Control+s'),
	]);
	return JSON.parse(readFileSync(await download.path(), 'utf8'));
}

// As if the file were dropped on its page.
async function look(path) {
	const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
	const text = readFileSync(path, 'utf8');
	const own = path.endsWith('.speedscope.json');
	const said = { path, invalid: own ? invalid(text) : null, faults: [] };

	page.on('pageerror', (error) => said.faults.push(String(error)));
	page.on('dialog', (dialog) => {
		said.faults.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	await page.goto(pathToFileURL(join(release, 'index.html')).href);
	const before = await page.title();
	await page.setInputFiles('#file', path);
	try {
		await page.waitForFunction((title) => document.title !== title, before, { timeout: 30000 });
		said.title = await page.title();
		said.saved = await save(page);
	} catch (error) {
		said.faults.push(String(error));
	}
	await page.close();
	return said;
}

try {
	for (const path of readFileSync(0, 'utf8').split('\n').filter(Boolean))
		console.log(JSON.stringify(await look(path)));
} finally {
	await browser.close();
}
