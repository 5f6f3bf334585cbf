#!/usr/bin/env node
// SPDX-License-Identifier: MIT
/**
 * How fast the page of a large capture is, in headless Chromium.
 *
 *	bench/page/run.mjs [--samples N] [--stacks N] [--threads N] [--period-ms N]
 *	                   [--repeats N] [--keep DIRECTORY] [--json FILE] [--markdown FILE]
 *
 * Frames: how many a second; median, 95th percentile and worst of the gaps between them; how many came
 * a half gap too late; and the same of what the script computed in each.
 *
 * The capture is one of tests/unit/large_capture.h: 1 million samples of 100,000 stacks, 20 threads for
 * 200 s. Every repeat opens the page in a new browser; medians are told. --markdown puts the table
 * between the lines `<!-- page -->` and `<!-- end of page -->` of FILE.
 *
 * $FIREGLASS_BIN: the program; $FIREGLASS_MAKE_CAPTURE: the tool of tests/tools; $FIREGLASS_CHROMIUM:
 * the browser; playwright-core is that of tests/browser.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { restFrames, settled, watch, wheelFrames, zoomFrames } from './gestures.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(join(ROOT, 'tests/browser/x.js'))('playwright-core');
const FIREGLASS = process.env.FIREGLASS_BIN ?? join(ROOT, 'build/fireglass');
const MAKE_CAPTURE = process.env.FIREGLASS_MAKE_CAPTURE ?? join(ROOT, 'build/tests/make_capture');
const CHROMIUM = process.env.FIREGLASS_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const FRAME_MS = 1000 / 60;
const LATE_MS = FRAME_MS * 1.5; // a frame that was missed

const { values: options } = parseArgs({
	options: {
		samples: { type: 'string', default: '1000000' },
		stacks: { type: 'string', default: '100000' },
		threads: { type: 'string', default: '20' },
		'period-ms': { type: 'string', default: '4' },
		repeats: { type: 'string', default: '3' },
		keep: { type: 'string' },
		json: { type: 'string' },
		markdown: { type: 'string' },
	},
});

// ---- the page ---------------------------------------------------------------------------------------

function makePage(folder) {
	const { samples, stacks, threads } = options;
	const capture = join(folder, 'large.fgc');
	const page = join(folder, 'large.html');
	const name = `large:${samples}:${stacks}:${threads}:${options['period-ms']}`;
	execFileSync(MAKE_CAPTURE, [name, 'fgc', capture]);
	const began = performance.now();
	execFileSync(FIREGLASS, ['report', capture, '-o', page], { stdio: 'ignore' });
	const reportMs = performance.now() - began;
	return { page, reportMs, pageBytes: statSync(page).size, captureBytes: statSync(capture).size };
}

// ---- the browser ------------------------------------------------------------------------------------

/** kB of the largest renderer: resident, and its own part of what processes share. */
async function renderer(browser) {
	const session = await browser.newBrowserCDPSession();
	const { processInfo } = await session.send('SystemInfo.getProcessInfo');
	await session.detach();
	const sizes = processInfo
		.filter(({ type }) => type === 'renderer')
		.map(({ id }) => {
			const text = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
			const field = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
			return { rss: field('Rss'), pss: field('Pss') };
		});
	return sizes.sort((a, b) => b.rss - a.rss)[0];
}

async function open(address) {
	const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const page = await context.newPage();
	const faults = [];
	page.on('pageerror', (error) => faults.push(String(error)));
	await page.addInitScript(watch);
	const blank = await renderer(browser);
	await page.goto(address, { waitUntil: 'commit' });
	return { browser, page, blank, faults };
}

const seen = (page) =>
	page.evaluate(() => {
		const { drawn, answered, events, busy } = globalThis.fireglassWatch;
		return { drawn, answered, events, busy };
	});

/** From the press to the picture after it, as the browser itself tells; 0: less than 16 ms. */
async function answer(page, act) {
	await page.evaluate(() => {
		globalThis.fireglassWatch.events.length = 0;
		globalThis.fireglassWatch.busy.length = 0;
	});
	await act();
	await page.evaluate(settled);
	const { events, busy } = await seen(page);
	return Math.max(0, ...events.map(({ duration }) => duration), ...busy);
}

// ---- what is measured -------------------------------------------------------------------------------

async function measureLoad({ page }) {
	await page.waitForFunction(() => globalThis.fireglassWatch.answered > 0, null, {
		timeout: 60_000,
	});
	const { drawn, answered } = await seen(page);
	const paint = await page.evaluate(
		() => performance.getEntriesByName('first-paint')[0]?.startTime ?? 0,
	);
	return { firstPaint: paint, drawn, answered };
}

const ZOOM = (deltaY) => ({ deltaY, ctrlKey: true });
const PAN = (deltaX) => ({ deltaX, shiftKey: true });

/** What the timeline shows, as it says itself. */
async function shown(page) {
	await page.waitForTimeout(300);
	const label = await page.locator('.tl-scroll').getAttribute('aria-label');
	return /shown: (.*?)\. Arrow/.exec(label)[1];
}

/** A gesture, after which the timeline must show something else. */
async function wheel(page, gesture) {
	const before = await shown(page);
	const frames = await page.evaluate(wheelFrames, gesture);
	if ((await shown(page)) === before) throw new Error(`the wheel changed nothing: ${before}`);
	return frames;
}

async function measureFrames(page) {
	const selector = '.tl-canvas';
	const zoomIn = { selector, steps: [[60, ZOOM(-40), 0.4]] };
	const zoomOut = { selector, steps: [[60, ZOOM(40), 0.4]] };
	const halfway = { selector, steps: [[9, ZOOM(-40), 0.4]] };
	const pan = (delta) => ({ selector, steps: [[60, PAN(delta), 0.5]] });
	const both = async (there, back) => {
		const [a, b] = [await wheel(page, there), await wheel(page, back)];
		return { gaps: [...a.gaps, ...b.gaps], script: [...a.script, ...b.script] };
	};
	const frames = { rest: await page.evaluate(restFrames, 60) };
	const into = await wheel(page, zoomIn);
	frames.panNear = await both(pan(60), pan(-60));
	const out = await wheel(page, zoomOut);
	frames.zoom = { gaps: [...into.gaps, ...out.gaps], script: [...into.script, ...out.script] };
	await wheel(page, halfway);
	frames.panFar = await both(pan(20), pan(-20));
	await wheel(page, zoomOut);
	if ((await shown(page)) !== 'all of it') throw new Error('it does not show all again');
	const before = await page.evaluate(() => history.length);
	frames.flame = await page.evaluate(zoomFrames, { steps: 12, everyMs: 300 });
	if ((await page.evaluate(() => history.length)) < before + 8)
		throw new Error('clicks did not zoom');
	return frames;
}

async function drag(page, from, to) {
	const box = await page.locator('.tl-canvas').boundingBox();
	const x = (share) => box.x + 160 + (box.width - 160) * share;
	const y = box.y + box.height * 0.7;
	await page.mouse.move(x(from), y);
	await page.mouse.down();
	await page.mouse.move(x((from + to) / 2), y, { steps: 8 });
	await page.mouse.move(x(to), y, { steps: 8 });
	return answer(page, () => page.mouse.up());
}

const tab = (page, name) => () => page.getByRole('tab', { name }).click();

async function measureActions(page) {
	const actions = {};
	const act = async (name, run) => {
		actions[name] = await answer(page, run);
	};
	actions['select a range'] = await drag(page, 0.2, 0.5);
	await act('clear it', () => page.getByRole('button', { name: 'Clear all' }).click());
	await act('CPU', () => page.getByRole('radio', { name: 'CPU' }).click());
	await act('Wall', () => page.getByRole('radio', { name: 'Wall' }).click());
	await act('by lines', () => page.locator('#tools select').first().selectOption('lines'));
	await act('by modules', () => page.locator('#tools select').first().selectOption('modules'));
	await page.locator('#tools select').first().selectOption('functions');
	await page.evaluate(settled);
	await act('search, a letter', async () => {
		await page.keyboard.press('/');
		await page.keyboard.press('7');
	});
	await page.keyboard.press('Escape');
	await page.keyboard.press('Escape');
	await act('callers', () => page.getByRole('button', { name: 'Callers' }).click());
	await act('flame graph again', () => page.getByRole('button', { name: 'Callers' }).click());
	for (const name of [
		'Flame chart',
		'Call tree',
		'Table',
		'Sandwich',
		'Source',
		'Heat map',
		'Trust',
	]) {
		await act(`open: ${name}`, tab(page, name));
	}
	await act('click a sample', async () => {
		const box = await page.locator('.tl-canvas').boundingBox();
		await page.mouse.click(box.x + 500, box.y + box.height * 0.7);
	});
	return actions;
}

async function measure(address) {
	const tab = await open(address);
	try {
		const load = await measureLoad(tab);
		await tab.page.waitForTimeout(500);
		const loaded = await renderer(tab.browser);
		const frames = await measureFrames(tab.page);
		const actions = await measureActions(tab.page);
		const used = await renderer(tab.browser);
		if (tab.faults.length) throw new Error(tab.faults.join('\n'));
		return { load, frames, actions, memory: { blank: tab.blank, loaded, used } };
	} finally {
		await tab.browser.close();
	}
}

// ---- what is told -----------------------------------------------------------------------------------

const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, share) =>
	sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))];
const median = (values) => at(values, 0.5);
const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(0)} ms`);
const mega = (kilo) => `${(kilo / 1000).toFixed(0)} MB`;

function frameLine(runs, key) {
	const gaps = runs.flatMap(({ frames }) => frames[key].gaps);
	const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
	const late = gaps.filter((gap) => gap > LATE_MS).length / gaps.length;
	const script = runs.flatMap(({ frames }) => frames[key].script);
	const fixed = (values, digits = 1) =>
		[median(values), at(values, 0.95), at(values, 1)].map((v) => v.toFixed(digits)).join(', ');
	return {
		perSecond: 1000 / mean,
		text:
			`${(1000 / mean).toFixed(1)}/s; gaps ${fixed(gaps)} ms; late ${(late * 100).toFixed(1)} %; ` +
			`script ${fixed(script)} ms`,
	};
}

const FRAMES = {
	panFar: 'panning the timeline, a third of it in sight',
	panNear: 'panning, zoomed in',
	zoom: 'zooming the timeline',
	flame: 'zooming the flame graph',
	rest: '(no gesture: the machine)',
};

function rowsOf(made, runs) {
	const of = (pick) => median(runs.map(pick));
	const rows = [
		['page', `${(made.pageBytes / 1e6).toFixed(2)} MB`, '10 MB', made.pageBytes < 10e6],
		['first paint', ms(of((r) => r.load.firstPaint)), '1 s', of((r) => r.load.firstPaint) < 1000],
		['timeline and flame graph drawn', ms(of((r) => r.load.drawn)), '', null],
		['a click answered', ms(of((r) => r.load.answered)), '2 s', of((r) => r.load.answered) < 2000],
	];
	for (const [key, label] of Object.entries(FRAMES)) {
		const { perSecond, text } = frameLine(runs, key);
		rows.push([
			label,
			text,
			key === 'rest' ? '' : '60/s',
			key === 'rest' ? null : perSecond > 58.5,
		]);
	}
	for (const name of Object.keys(runs[0].actions)) {
		const worst = of((r) => r.actions[name]);
		rows.push([name, worst < 16 ? '<16 ms' : ms(worst), '', null]);
	}
	const rss = (key) => of((r) => r.memory[key].rss);
	rows.push(['memory of the tab, loaded', mega(rss('loaded')), '500 MB', rss('loaded') < 500e3]);
	rows.push(['memory after all of the above', mega(rss('used')), '500 MB', rss('used') < 500e3]);
	rows.push(['memory of an empty tab', mega(rss('blank')), '', null]);
	return rows;
}

function tableOf(rows) {
	const lines = rows.map(
		([name, value, bar, met]) =>
			`| ${name} | ${value} | ${bar ? `< ${bar}`.replace('< 60/s', '60/s') : ''} | ${met === null ? '' : met ? 'met' : 'missed'} |`,
	);
	return ['| what | measured | bar | |', '|---|---|---|---|', ...lines].join('\n');
}

function putMarkdown(file, text) {
	const before = readFileSync(file, 'utf8');
	const [start, end] = ['<!-- page -->', '<!-- end of page -->'];
	const [from, to] = [before.indexOf(start), before.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`${file} has no lines ${start} and ${end}`);
	writeFileSync(file, `${before.slice(0, from + start.length)}\n${text}\n${before.slice(to)}`);
}

const folder = options.keep ?? mkdtempSync(join(tmpdir(), 'fireglass-page-'));
try {
	const made = makePage(folder);
	const address = pathToFileURL(made.page).href;
	const runs = [];
	for (let i = 0; i < Number(options.repeats); i++) runs.push(await measure(address));
	const rows = rowsOf(made, runs);
	const what =
		`${options.samples} samples, ${options.stacks} stacks, ${options.threads} threads; ` +
		`median of ${runs.length}; ${cpus().length} cores (${cpus()[0]?.model.trim()})`;
	console.log(`${what}\n\n${tableOf(rows)}`);
	if (options.json) writeFileSync(options.json, JSON.stringify({ what, made, runs }, null, '\t'));
	if (options.markdown) putMarkdown(options.markdown, `${what}\n\n${tableOf(rows)}`);
	process.exitCode = rows.some(([, , , met]) => met === false) ? 1 : 0;
} finally {
	if (!options.keep) rmSync(folder, { recursive: true });
}
