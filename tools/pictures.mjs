// SPDX-License-Identifier: MIT
// Takes the pictures of tools/pictures: node pictures.mjs PAGE DIRECTORY [NAME...]
//
// Everything is reached as a person reaches it: by clicks on what is seen.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const installed = fileURLToPath(new URL('../tests/browser/package.json', import.meta.url));
const { chromium } = createRequire(installed)('playwright-core');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];

const SIZES = { wide: [1440, 900], narrow: [390, 844] };
const SCHEMES = ['light', 'dark'];

// What is done in a view before its picture is taken.
const VIEWS = {
	flame: (user) => user.open('Flame graph'),
	chart: (user) => user.open('Flame chart'),
	tree: (user) => user.open('Call tree'),
	table: (user) => user.open('Table'),
	sandwich: (user) => user.open('Sandwich'),
	source: (user) => user.open('Source'),
	heatmap: (user) => user.open('Heat map'),
	trust: (user) => user.open('Trust'),
};

// The steps of docs/tour.md, one after the other on the same page.
const TOUR = {
	'tour-1-open': async () => {},
	'tour-2-function': async (user) => {
		await user.choose('CPU');
	},
	'tour-5-heatmap': async (user) => {
		await user.open('Heat map');
	},
};

const [address, directory, ...names] = process.argv.slice(2);
const wanted = (name) => names.length === 0 || names.some((start) => name.startsWith(start));

function settled(page) {
	return page.evaluate(
		() =>
			new Promise((done) => {
				requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200)));
			}),
	);
}

function makeUser(page) {
	return {
		page,
		open: (tab) => page.getByRole('tab', { name: tab, exact: true }).click(),
		choose: (mode) => page.getByRole('radio', { name: mode, exact: true }).click(),
	};
}

// A page of its own for these steps, a picture after each that is wanted.
async function walk(browser, steps, { width, height, scheme }) {
	const context = await browser.newContext({
		viewport: { width, height },
		colorScheme: scheme,
		hasTouch: width < 600,
		reducedMotion: 'reduce',
	});
	const page = await context.newPage();
	page.on('pageerror', (error) => {
		throw error;
	});
	await page.goto(pathToFileURL(address).href);
	await page.getByRole('tab').first().waitFor();
	const user = makeUser(page);
	for (const [name, step] of Object.entries(steps)) {
		await step(user);
		await settled(page);
		if (wanted(name)) await page.screenshot({ path: join(directory, `${name}.png`) });
	}
	await context.close();
}

const named = (steps, ending) =>
	Object.fromEntries(Object.entries(steps).map(([name, step]) => [`${name}-${ending}`, step]));

mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({
	executablePath: process.env.FIREGLASS_CHROMIUM || '/usr/bin/chromium',
	args: FLAGS,
});
try {
	for (const scheme of SCHEMES) {
		for (const [size, [width, height]] of Object.entries(SIZES)) {
			const steps = named(VIEWS, `${size}-${scheme}`);
			if (Object.keys(steps).some(wanted)) {
				await walk(browser, steps, { width, height, scheme });
			}
		}
	}
	if (Object.keys(TOUR).some(wanted)) {
		await walk(browser, TOUR, { width: 1280, height: 800, scheme: 'light' });
	}
} finally {
	await browser.close();
}
