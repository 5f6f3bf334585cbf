// SPDX-License-Identifier: MIT
// The timeline of a report, and what a selection of time does to all views.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { shopCapture } from './report_captures.mjs';
import { apart, describe, golden, look, open, report, start, stop } from './report_harness.mjs';

const ALL = [0, 4000];
let shop;

before(async () => {
	await start();
	shop = report(shopCapture());
});
after(stop);
const ofShop = () => shop;

/** Which of the colours of a legend a pixel is nearest to. */
function nearest(colour, legend) {
	return Object.entries(legend).sort((a, b) => apart(colour, a[1]) - apart(colour, b[1]))[0][0];
}

look('every sample, by thread and time, as high as its stack', ofShop, {}, async (view) => {
	assert.deepEqual(await view.tracks(), [
		'request',
		'GC',
		'GIL wait',
		'shop (100)',
		'MainThread',
		'worker',
		'worker',
		'batch (200)',
		'MainThread',
	]);
	assert.match(await view.timeline(), /12 400 samples of 4 threads in 4\.00 s/);
	const legend = await view.legend('.tl-legend');
	const at = async (track, ms, depth) =>
		view.colourAt(await view.xOf(ms, ALL), await view.yOf(track, depth));
	const seen = async (track, ms, depth = 1) => nearest(await at(track, ms, depth), legend);
	assert.equal(await seen('MainThread', 600), 'running, holds the GIL');
	assert.equal(await seen('MainThread', 3000), 'waiting');
	assert.equal(await seen('worker', 250), 'running');
	assert.equal(await seen('worker', 750), 'waits for the GIL');
	assert.equal(await seen('worker', 2050), 'GC');
	assert.equal(await seen('worker 2', 1350), 'running');
	assert.equal(await seen('MainThread 2', 100), 'runnable');
	assert.equal(await seen('MainThread 2', 300), 'running');
	// depth as height: 5 frames at 250 ms, 2 at 1500 ms
	assert.equal(await seen('worker', 250, 5), 'running');
	assert.equal(await at('worker', 1500, 3), '0,0,0', 'nothing above two frames');
	assert.equal(await at('MainThread 2', 2000, 1), '0,0,0', 'the thread has ended');
});

look(
	'a click opens a sample, and what others have in common with it lights up',
	ofShop,
	{},
	async (view) => {
		const state = await view.legend('.tl-legend');
		assert.equal(state['in common'], undefined);
		await view.pick('worker 2', 1350, ALL); // run > job > tick
		const legend = await view.legend('.tl-legend');
		assert.ok(legend['in common']);
		const seen = async (track, ms, depth) => {
			const colour = await view.colourAt(await view.xOf(ms, ALL), await view.yOf(track, depth));
			return nearest(colour, legend);
		};
		// worker at 250 ms: run > job > walk > walk > leaf, of which two are the same activity
		assert.equal(await seen('worker', 250, 1), 'in common');
		assert.equal(await seen('worker', 250, 2), 'in common');
		assert.equal(await seen('worker', 250, 3), 'running');
		assert.equal(await seen('worker', 1500, 1), 'in common');
		assert.equal(await seen('worker', 1500, 2), 'waiting');
		assert.equal(await seen('worker 2', 3350, 3), 'in common', 'the same stack, two seconds later');
		assert.equal(await seen('MainThread', 600, 1), 'running, holds the GIL', 'nothing in common');
		assert.match(await view.said(), /^tick \(jobs\.py:33\); 1\.3\d+ s · worker; running/);
		assert.match((await view.fragment()).sample, /^\d+$/);
		// the sample in words: stack with source text, time
		const details = await view.text('#details');
		for (const word of ['run', 'job', 'tick', 'job_line_33', 'job_line_5', 'worker']) {
			assert.ok(details.includes(word), `${word} in: ${details}`);
		}
		assert.match(details, /1\.35\d* s|1\.34\d* s/);
		await view.press('Escape');
		assert.equal((await view.legend('.tl-legend'))['in common'], undefined);
	},
);

look('hover: a frame lights up in all tracks and in the flame graph', ofShop, {}, async (view) => {
	const near = [400, 1200];
	const { 'running, holds the GIL': running } = await view.legend('.tl-legend');
	const isLit = async (ms, depth, window = near) => {
		const colour = await view.colourAt(
			await view.xOf(ms, window),
			await view.yOf('MainThread', depth),
		);
		return apart(colour, running) > 3000;
	};
	assert.ok(!(await isLit(600, 3, ALL)));
	// at the first look a pixel is several samples: what most of them have there
	await view.point('worker', 750, ALL, 3); // parse, also called by the main thread
	assert.match(
		await view.tip(),
		/^parse \(app\.py\) in all of: 4 samples, 0\.7[45]\d s to 0\.75\d s 100 % waiting for the GIL/i,
	);
	assert.ok(await isLit(600, 3, ALL), 'parse of the other thread');
	assert.ok(!(await isLit(1300, 3, ALL)), 'render is another one');
	await view.point('worker', 750, ALL, 5); // above it
	assert.match(await view.tip(), /^4 samples/);
	assert.ok(!(await isLit(600, 3, ALL)));
	await view.go('window=400ms..1200ms');
	assert.ok(!(await isLit(600, 3)));
	await view.point('worker', 750, near, 3);
	assert.match(await view.tip(), /^parse \(app\.py:30\) 0\.7\d+ s · worker/);
	assert.ok(await isLit(600, 3), 'parse of the other thread');
	assert.ok(!(await isLit(600, 1)) && !(await isLit(1100, 3)), 'no other function');
	// the other way round: from the flame graph to the timeline
	await view.page.mouse.move(5, 5);
	await view.settle();
	assert.ok(!(await isLit(600, 3)));
	assert.match(await view.hoverBox(3, 0.53), /^parse app\.py:1/);
	assert.ok(await isLit(600, 3));
	await view.page.mouse.move(5, 5);
	await view.settle();
	assert.ok(!(await isLit(600, 3)));
	assert.equal(await view.isTipShown(), false);
	// over a sample: how much of it is in common with the selected one
	await view.pick('worker', 450, near, 3);
	await view.point('worker', 750, near, 2);
	assert.match(await view.tip(), /2 of 3 frames in common with the selected sample/);
});

look('zoom and pan, by wheel, keys, buttons and the overview', ofShop, {}, async (view) => {
	const { page } = view;
	const shown = async () => {
		await page.waitForTimeout(200); // it is told when it has come to rest
		const text = /shown: (.*?)\. Arrow/.exec(await view.timeline())[1];
		return text === 'all of it' ? [0, 4] : text.match(/[\d.]+/g).map(Number);
	};
	await page.mouse.move(await view.xOf(2000, ALL), await view.yOf('MainThread'));
	await view.wheel(0, -400, 'Control');
	const [from, to] = await shown();
	assert.ok(from > 0.5 && to < 3.5 && to - from < 2, `${from} to ${to}`);
	assert.ok(Math.abs((from + to) / 2 - 2) < 0.2, 'about the pointer');
	await view.wheel(200, 0, 'Shift');
	const moved = await shown();
	assert.ok(moved[0] > from && Math.abs(moved[1] - moved[0] - (to - from)) < 0.02);
	assert.match((await view.fragment()).window, /\.\./);
	await view.click('All');
	assert.deepEqual(await shown(), [0, 4]);
	for (let i = 0; i < 3; i++) await view.press('+');
	const [a, b] = await shown();
	assert.ok(Math.abs(b - a - 0.5) < 0.02, `${a} to ${b}`);
	await view.press('d');
	assert.ok((await shown())[0] > a);
	await view.press('0');
	assert.deepEqual(await shown(), [0, 4]);
	// down to single samples, and below
	for (let i = 0; i < 14; i++) await view.press('+');
	const [c, d] = await shown();
	assert.ok(d - c < 0.001, `${c} to ${d}`);
	// a drag over the overview makes the window
	const head = await page.locator('.tl-head-canvas').boundingBox();
	await page.mouse.dblclick(head.x + 400, head.y + 10);
	await view.settle();
	await page.mouse.move(await view.xOf(1000, ALL), head.y + 15);
	await page.mouse.down();
	await page.mouse.move(await view.xOf(3000, ALL), head.y + 15, { steps: 4 });
	await page.mouse.up();
	await view.settle();
	const [e, f] = await shown();
	assert.ok(Math.abs(e - 1) < 0.02 && Math.abs(f - 3) < 0.02, `${e} to ${f}`);
});

look('keys go from sample to sample, and between threads', ofShop, {}, async (view) => {
	await view.page.locator('.tl-scroll').focus();
	await view.press('ArrowRight');
	assert.match(await view.said(), /^plugin_000 .*MainThread/);
	await view.press('ArrowRight');
	assert.match(await view.said(), /^plugin_001 .*0\.001 s/);
	await view.press('ArrowDown');
	assert.match(await view.said(), /^leaf .*0\.001 s · worker/);
	await view.press('ArrowLeft');
	assert.match(await view.said(), /^leaf .*0\.000 s|^leaf .*0 s/);
});

look('tracks can be hidden, shown alone, sorted and merged', ofShop, {}, async (view) => {
	const others = /^(request|GC|GIL wait|.*\(\d+\))$/;
	const threads = async () => (await view.tracks()).filter((name) => !others.test(name));
	await view.page.locator('.tl-label', { hasText: 'worker' }).first().click();
	await view.item('Hide');
	assert.deepEqual(await threads(), ['MainThread', 'worker', 'MainThread']);
	assert.equal(await view.amount(), '8.40 s in all threads', 'hidden threads are not counted');
	assert.match(await view.text('#tools'), /3 of 4 threads/);
	assert.equal((await view.fragment()).hidden, '1');
	await view.click('Tracks');
	await view.page.getByRole('checkbox', { name: /process batch/ }).uncheck();
	await view.settle();
	assert.equal(await view.amount(), '8.00 s in all threads');
	await view.click('Show all');
	assert.deepEqual(await threads(), ['MainThread', 'worker', 'worker', 'MainThread']);
	await view.page.getByRole('checkbox', { name: /Merge threads/ }).check();
	await view.settle();
	assert.deepEqual(await threads(), ['MainThread', 'worker (2 threads)', 'MainThread']);
	assert.equal(await view.amount(), '12.4 s in all threads');
	await view.page.getByRole('checkbox', { name: /Merge threads/ }).uncheck();
	await view.choose('Order', 'name');
	assert.equal((await view.tracks())[3], 'batch (200)');
	await view.choose('Order', 'busy');
	assert.equal((await view.tracks())[3], 'shop (100)');
	assert.equal((await view.fragment()).order, 'busy');
	await view.press('Escape');
	assert.equal(await view.page.locator('.tl-panel').isVisible(), false);
	// as a table, for those who do not see it
	await view.page.getByText('Tracks as a table').focus();
	await view.press('Enter');
	const table = await view.text('.tl-text table');
	assert.match(table, /worker .*4 000/);
});

look(
	'markers are a row each kind: a tip, and a click that selects their time',
	ofShop,
	{},
	async (view) => {
		const { page } = view;
		const y = await view.yOf('request');
		await page.mouse.move(await view.xOf(1200, ALL), y);
		await view.settle();
		assert.match(await view.tip(), /request GET \/cart · 500 ms · MainThread/);
		await page.mouse.click(await view.xOf(1200, ALL), y);
		await view.settle();
		assert.equal((await view.fragment()).range, '1s..1.5s');
		assert.equal(await view.amount(), '1.50 s in all threads');
		await page.mouse.move(await view.xOf(2050, ALL), await view.yOf('GC'));
		await view.settle();
		assert.match(await view.tip(), /GC/);
		await page.mouse.move(await view.xOf(700, ALL), await view.yOf('GIL wait'));
		await view.settle();
		assert.match(await view.tip(), /GIL wait.*worker/);
	},
);

look('a range of time is what all views show; ranges nest', ofShop, {}, async (view) => {
	const said = await view.drag('MainThread', 1000, 2000, ALL);
	assert.match(said, /1\.00 ?\d* ?s|0\.99\d s|1\.00\d s/);
	const { range } = await view.fragment();
	const [from, to] = range
		.split('..')
		.map((t) => Number.parseFloat(t) * (t.endsWith('ms') ? 1 : 1000));
	assert.ok(Math.abs(from - 1000) < 4 && Math.abs(to - 2000) < 4, range);
	// 1 s of three threads, all of which run through it
	assert.match(await view.amount(), /^(2\.99|3\.00|3\.01) s in all threads$/);
	assert.match(
		await view.hoverBox(1, 0.2),
		/^run .*total 2\.0\d s, 66\.[67] %|^run .*total 1\.99 s/,
	);
	await view.tab('Table');
	const names = await view.names();
	assert.ok(names.includes('escape') && names.includes('encode') && names.includes('tick'));
	assert.ok(!names.includes('leaf') && !names.includes('plugin_007'));
	await view.tab('Call tree');
	assert.ok(!(await view.names()).includes('batch'));
	await view.tab('Sandwich');
	assert.doesNotMatch(await view.text('.sandwich-list'), /leaf/);
	await view.tab('Flame graph');
	// within it
	await view.drag('MainThread', 1100, 1300, ALL);
	assert.equal((await view.chips()).length, 3);
	assert.match(await view.amount(), /^(59\d|60\d) ms in all threads$/);
	assert.ok((await view.fragment()).range.includes(','), 'both are in the address');
	await view.press('Escape');
	assert.equal((await view.chips()).length, 2);
	assert.match(await view.amount(), /^(2\.99|3\.00|3\.01) s/);
	// edges can be moved
	const y = await view.yOf('MainThread');
	const edge = await view.xOf(to, ALL);
	await view.page.mouse.move(edge, y);
	await view.page.mouse.down();
	await view.page.mouse.move(await view.xOf(3000, ALL), y, { steps: 4 });
	await view.page.mouse.up();
	await view.settle();
	assert.match(await view.amount(), /^(5\.9\d|6\.0\d) s/);
	await view.page.goBack();
	await view.settle();
	assert.match(await view.amount(), /^(2\.99|3\.00|3\.01) s/);
	await view.page.getByRole('button', { name: /^All 4\.00 s/ }).click();
	await view.settle();
	assert.equal(await view.amount(), '12.4 s in all threads');
	assert.equal((await view.fragment()).range, undefined);
});

look(
	'while a range is dragged it says how much is in it; Escape gives it up',
	ofShop,
	{},
	async (view) => {
		const { page } = view;
		const y = await view.yOf('MainThread');
		await page.mouse.move(await view.xOf(500, ALL), y);
		await page.mouse.down();
		await page.mouse.move(await view.xOf(1500, ALL), y, { steps: 4 });
		await view.settle();
		assert.match(await view.tip(), /s to .*1\.0\d s, 3 0\d\d samples|999 ms/);
		await view.press('Escape');
		await page.mouse.up();
		await view.settle();
		assert.equal((await view.fragment()).range, undefined);
	},
);

look('two ranges can be compared, in every view', ofShop, {}, async (view) => {
	await view.drag('MainThread', 1000, 1500, ALL);
	await view.drag('MainThread', 1500, 2000, ALL, 'Shift');
	const { range, compare } = await view.fragment();
	assert.ok(range && compare);
	assert.match(
		(await view.chips()).at(-1),
		/^against 1\.(5|49\d*|50\d*) s – (2|1\.99\d*|2\.00\d*) s/,
	);
	// the flame graph takes the colours of differences by itself
	assert.equal(await view.list('Colour').inputValue(), 'diff');
	assert.match(await view.hoverBox(1, 0.2), /before .*change/);
	await view.tab('Table');
	const rows = await view.rows();
	const escape = rows.find((row) => row.Function === 'escape');
	assert.match(Object.values(escape).join(' '), /\+/, 'more than before');
	const encode = rows.find((row) => row.Function === 'encode');
	assert.match(Object.values(encode).join(' '), /−/, 'less than before');
	await view.tab('Call tree');
	assert.match(await view.text('#panel-tree table'), /Difference/);
	await view.page.getByRole('button', { name: /^Remove: against/ }).click();
	await view.settle();
	assert.equal((await view.fragment()).compare, undefined);
	await view.tab('Flame graph');
	assert.equal(await view.list('Colour').inputValue(), 'module');
	// by the button, for those who have no shift key
	await view.click('Compare');
	await view.drag('MainThread', 2500, 3500, ALL);
	assert.ok((await view.fragment()).compare);
});

test('losses, gaps and threads that come late are shown as they are', async () => {
	const view = await open(report(golden('gaps')));
	assert.match(await view.timeline(), /40 samples of 2 threads in 1\.51 s/);
	const legend = await view.legend('.tl-legend');
	const window = [0, 1510];
	const x = await view.xOf(500, window);
	assert.equal(
		await view.colourAt(x, await view.yOf('MainThread', 1)),
		'0,0,0',
		'a second of nothing',
	);
	const busy = await view.colourAt(await view.xOf(1020, window), await view.yOf('MainThread', 1));
	assert.equal(nearest(busy, legend), 'running, holds the GIL');
	await view.close();
	const states = await open(report(golden('states')));
	assert.match(await states.text('.badge'), /lost|missed/);
	assert.ok((await states.legend('.tl-legend'))['not readable']);
	await states.close();
});

test('hours and microseconds', async () => {
	const lines = ['process 1 long', 'thread 0 1 MainThread'];
	for (let hour = 0; hour < 6; hour++) {
		lines.push(`sample ${hour * 3600000} 1000 0 cpu 1 main;hour_${hour}`);
	}
	const view = await open(report(describe(lines)));
	assert.match(await view.timeline(), /6 000 samples of 1 thread in 5 h/);
	await view.page.locator('.tl-scroll').focus();
	for (let i = 0; i < 40; i++) await view.page.keyboard.press('+');
	await view.settle();
	const { window } = await view.fragment();
	const [from, to] = window.split('..').map((text) => {
		const scale = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 }[/[a-z]+$/.exec(text)[0]];
		return Number.parseFloat(text) * scale;
	});
	assert.ok(to - from <= 10, `${window}: some microseconds`);
	await view.close();
});
