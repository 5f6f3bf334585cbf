// SPDX-License-Identifier: MIT
// Takes the pictures of tools/pictures: node pictures.mjs PAGE DIRECTORY [NAME...]
//
// Everything is reached as a person reaches it: by what is seen, pointed at and clicked.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const installed = fileURLToPath(new URL('../tests/browser/package.json', import.meta.url));
const { chromium } = createRequire(installed)('playwright-core');
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];

const SIZES = { wide: [1440, 900], narrow: [390, 844] };
const SCHEMES = ['light', 'dark'];
const SLOW = 'Glossary.find';

// What is done for the picture of each view, one after the other on the same page.
const VIEWS = {
	flame: async (user) => {
		await user.choose('CPU');
		await user.open('Flame graph');
	},
	chart: async (user) => {
		await user.choose('Wall');
		await user.open('Flame chart');
		for (let i = 0; i < 3; i++) await user.press('Zoom in (+)');
	},
	tree: async (user) => {
		await user.press('Show the whole capture (0)');
		await user.choose('CPU');
		await user.open('Call tree');
	},
	table: async (user) => {
		await user.open('Table');
		await user.page.getByRole('row').filter({ hasText: SLOW }).first().click();
		await user.page.mouse.move(1, 1);
	},
	sandwich: (user) => user.open('Sandwich'),
	source: (user) => user.open('Source'),
	heatmap: (user) => user.open('Heat map'),
	trust: (user) => user.open('Trust'),
};

// What docs/tour.md describes; each walk begins with the page as it opens.
const TOUR = [
	{
		'tour-open': async () => {},
		'tour-function': async (user) => {
			await user.choose('CPU');
			await user.page.mouse.move(...(await user.find('.flame-holder', SLOW)));
		},
		'tour-line': async (user) => {
			await user.page.mouse.click(...(await user.find('.flame-holder', SLOW)), { button: 'right' });
			await user.page.getByRole('menuitem', { name: 'Show source' }).click();
		},
	},
	{
		'tour-gil': async (user) => {
			await user.page.mouse.click(...(await user.findOnTrack('heartbeat', '100 % waiting for')));
		},
	},
	{
		'tour-heatmap': (user) => user.open('Heat map'),
		'tour-stall': async (user) => {
			const [from, to] = await user.findStripe();
			await user.page.mouse.move(...from);
			await user.page.mouse.down();
			await user.page.mouse.move(...to, { steps: 4 });
			await user.page.mouse.up();
			await user.open('Flame graph');
		},
	},
];

const [address, directory, ...names] = process.argv.slice(2);
const wanted = (name) => names.length === 0 || names.some((start) => name.startsWith(start));

function settled(page, ms = 0) {
	return page.evaluate(
		(wait) =>
			new Promise((done) => {
				requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, wait)));
			}),
		ms,
	);
}

function makeUser(page) {
	const box = (selector) => page.locator(selector).filter({ visible: true }).boundingBox();
	const tipAt = async (x, y) => {
		await page.mouse.move(x, y);
		await settled(page);
		const tip = page.locator('.tip');
		return (await tip.isVisible()) ? tip.innerText() : '';
	};
	const search = async ({ x, y, width, height }, text, [stepX, stepY]) => {
		for (let atX = x + stepX; atX < x + width; atX += stepX) {
			for (let atY = y + stepY / 2; atY < y + height; atY += stepY) {
				if ((await tipAt(atX, atY)).includes(text)) return [atX, atY];
			}
		}
		throw new Error(`nothing says "${text}"`);
	};
	return {
		page,
		open: (tab) => page.getByRole('tab', { name: tab, exact: true }).click(),
		press: (title) => page.getByTitle(title, { exact: true }).click(),
		choose: (mode) => page.getByRole('radio', { name: mode, exact: true }).click(),

		// Where in a picture a tip has this text, from the left.
		find: async (selector, text) => search(await box(selector), text, [90, 9]),

		// The same on a thread's track: past the middle, along its height.
		async findOnTrack(thread, text) {
			const track = await page.getByText(thread, { exact: true }).first().boundingBox();
			const { x, width } = await box('.tl-canvas');
			const y = track.y + track.height / 2;
			return search({ x: x + width / 2, y, width: width / 2, height: 12 }, text, [3, 12]);
		},

		// The ends of a drag over the heat map's stripe, in a column near its middle: rows in which
		// no column but the first two has few samples.
		async findStripe() {
			const { x, y, width, height } = await box('.hm-canvas');
			const times = new Map(); // row: the fewest samples, and where it was seen
			const columns = 8;
			for (let atY = y + 2; atY < y + height - 20; atY += 3) {
				let fewest = Infinity;
				for (let i = 0; i < columns; i++) {
					const tip = await tipAt(x + width * (0.3 + (0.6 * i) / columns), atY);
					const count = /(\d+) samples? /.exec(tip);
					fewest = Math.min(fewest, count ? Number(count[1]) : 0);
				}
				times.set(atY, fewest);
			}
			return stripe(times, x + width * 0.55);
		},
	};
}

// The longest run of rows with at least 3/4 of the most.
function stripe(rows, x) {
	const least = (3 * Math.max(...rows.values())) / 4;
	let best = [];
	let run = [];
	for (const [y, fewest] of rows) {
		run = fewest >= least ? [...run, y] : [];
		if (run.length > best.length) best = run;
	}
	return [
		[x, best[0]],
		[x, best.at(-1)],
	];
}

// A page of its own for these steps, a picture after each that is wanted.
async function walk(browser, steps, { width, height, scheme }) {
	if (!Object.keys(steps).some(wanted)) return;
	const narrow = width < 600;
	const context = await browser.newContext({
		viewport: { width, height },
		colorScheme: scheme,
		hasTouch: narrow,
		reducedMotion: 'reduce',
	});
	const page = await context.newPage();
	const faults = [];
	page.on('pageerror', (error) => faults.push(error));
	await page.goto(pathToFileURL(address).href);
	await page.getByRole('tab').first().waitFor();
	const user = makeUser(page);
	for (const [name, step] of Object.entries(steps)) {
		await step(user);
		await settled(page, 200);
		if (wanted(name)) {
			await page.screenshot({ path: join(directory, `${name}.png`), fullPage: narrow });
		}
	}
	await context.close();
	if (faults.length > 0) throw faults[0];
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
			await walk(browser, named(VIEWS, `${size}-${scheme}`), { width, height, scheme });
		}
	}
	for (const steps of TOUR) {
		await walk(browser, steps, { width: 1440, height: 900, scheme: 'light' });
	}
} finally {
	await browser.close();
}
