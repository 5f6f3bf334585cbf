// SPDX-License-Identifier: MIT
// Flame graph, icicle, flame chart, sandwich and heat map of a report.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { shopCapture } from './report_captures.mjs';
import { apart, describe, look, plain, report, start, stop } from './report_harness.mjs';

/*
 * The shop, 12 400 samples. Widths, from the left:
 *	run 8000 (idle 6500, job 1500), main 4000 (wait 2000, serve 1800, boot 200), batch 400
 *	job: parse 500, walk 500, tick 400, collect 100; serve: parse 800, render 500, dumps 500
 */
const AT = { run: 0.3, main: 0.8, batch: 0.985, idle: 0.2, job: 0.58, wait: 0.7, serve: 0.86 };
let shop;
let wide;

before(async () => {
	await start();
	shop = report(shopCapture());
	const lines = ['process 1 wide', 'thread 0 1 MainThread', 'sample 0 3000 0 cpu 1 main;heavy'];
	for (let i = 0; i < 3000; i++) {
		lines.push(`sample ${3000 + i} 1 0 cpu 1 main;narrow_${String(i).padStart(4, '0')};leaf_${i}`);
	}
	wide = report(describe(lines));
});
after(stop);
const ofShop = () => shop;
const ofWide = () => wide;

look('hover says what a box is', ofShop, {}, async (view) => {
	const tip = await view.hoverBox(1, AT.main);
	assert.match(
		tip,
		/^main app\.py:1 total 4\.00 s, 32\.3 % \(95 %: 31\.4 % to 33\.1 %\) self 0 s, 0 %/,
	);
	assert.match(tip, /on processor 50\.0 %, waiting 50\.0 %/);
	assert.match(await view.hoverBox(0, 0.5), /^all that is shown total 12\.4 s, 100 %/);
	assert.match(await view.hoverBox(2, AT.wait), /^wait threading\.py:1 .*self 2\.00 s, 16\.1 %/);
	await view.page.mouse.move(5, 5);
	await view.settle();
	assert.equal(await view.isTipShown(), false);
});

look('click zooms; breadcrumbs, Escape and back lead out', ofShop, {}, async (view) => {
	assert.deepEqual(await view.crumbs(), ['all']);
	await view.clickBox(1, AT.main);
	assert.deepEqual(await view.crumbs(), ['all', 'main']);
	assert.match(await view.hoverBox(1, 0.01), /^main /);
	assert.match(await view.hoverBox(2, 0.99), /^boot .* 5\.0 % of main/);
	assert.match(await view.hoverBox(3, 0.51), /^parse .*total 800 ms, 6\.5 %.* 20\.0 % of main/);
	await view.clickBox(2, 0.6);
	await view.clickBox(3, 0.6);
	assert.deepEqual(await view.crumbs(), ['all', 'main', 'serve', 'render']);
	await view.press('Escape');
	assert.notEqual((await view.crumbs()).at(-1), 'render');
	await view.page.goBack();
	await view.settle();
	assert.equal((await view.crumbs()).at(-1), 'render');
	await view.page.getByRole('button', { name: 'main', exact: true }).click();
	await view.settle();
	assert.deepEqual(await view.crumbs(), ['all', 'main']);
	await view.click('all');
	assert.deepEqual(await view.crumbs(), ['all']);
	assert.equal((await view.fragment()).zoom, undefined);
});

look('the function of a frame that is clicked is the chosen one', ofShop, {}, async (view) => {
	await view.clickBox(3, 0.525); // parse, of serve
	assert.match(await view.text('#details'), /Function.* parse .*app\.py:1/);
	const words = await view.fragment();
	assert.ok(words.func && words.zoom, 'both in one step');
	await view.page.mouse.move(5, 5);
	await view.settle();
	assert.ok((await view.legend('.tl-legend')).function, 'it lights up in the timeline');
	await view.tab('Sandwich');
	assert.match(await view.text('.sandwich-name'), /^parse /);
	await view.tab('Source');
	assert.match(await view.text('.source-path'), /app\.py$/);
	await view.tab('Flame graph');
	for (let i = 0; i < 4; i++) await view.page.goBack();
	await view.settle();
	assert.equal((await view.fragment()).func, undefined);
	// by the keyboard too; on the root: none
	await view.focusFlame();
	await view.press('Home', 'ArrowUp', 'Enter');
	assert.match(await view.text('#details'), /Function.* run .*jobs\.py:1/);
	await view.clickBox(0, 0.5);
	assert.equal((await view.fragment()).func, undefined);
	// what is chosen goes with all the rest
	await view.pick('worker', 250, [0, 4000]);
	await view.click('Clear all');
	const { sample, func } = await view.fragment();
	assert.deepEqual([sample, func], [undefined, undefined]);
	assert.equal(await view.button('Clear all').isVisible(), false);
	assert.match(await view.text('#details'), /Hottest functions/);
});

look('icicle: the root on top; callers: merged from the leaves', ofShop, {}, async (view) => {
	await view.click('Icicle');
	assert.match(await view.hoverBox(0, 0.5, true), /^all that is shown/);
	assert.match(await view.hoverBox(1, AT.main, true), /^main /);
	assert.match(await view.hoverBox(2, AT.idle, true), /^idle /);
	assert.ok('inverted' in (await view.fragment()));
	await view.click('Flame');
	assert.match(await view.hoverBox(1, AT.main), /^main /);
	await view.press('i');
	assert.match(await view.hoverBox(1, AT.main, true), /^main /);
	await view.press('i');
	await view.click('Callers');
	// idle 52.4 %, wait 16.1 %, parse 10.5 % (by two callers: serve 800, job 500)
	assert.match(await view.hoverBox(1, 0.2), /^idle .*total 6\.50 s/);
	assert.match(await view.hoverBox(1, 0.74), /^parse .*total 1\.30 s, 10\.5 %/);
	assert.match(await view.hoverBox(2, 0.7), /^serve .*total 800 ms/);
	assert.match(await view.hoverBox(2, 0.77), /^job .*total 500 ms/);
});

look(
	'search: regular expressions, matched percent, next and previous',
	ofShop,
	{},
	async (view) => {
		const { page } = view;
		const found = () => view.text('.search-found');
		const box = page.getByRole('searchbox', { name: /Search functions/ });
		const [x, y] = await view.flamePoint(2, 0.505);
		const before = await view.colourAt(x, y);
		await page.keyboard.press('Control+f');
		await page.keyboard.type('^(parse|walk) ');
		await view.settle();
		// parse 1300 + walk 500, which calls itself
		assert.equal(await found(), '14.5 %, 2 functions');
		const faded = await view.colourAt(x, y);
		assert.ok(apart(before, faded) > 1000, 'what does not match fades');
		const visited = [];
		for (let i = 0; i < 5; i++) {
			await view.press('Enter');
			visited.push((await view.status()).split(':')[0]);
		}
		assert.deepEqual(visited.map((name) => name.split(' ')[0]).sort(), [
			'parse',
			'parse',
			'parse',
			'walk',
			'walk',
		]);
		await view.press('Shift+Enter');
		assert.equal((await view.status()).split(':')[0], visited[3]);
		await view.press('Escape');
		assert.equal(await page.locator('.search-found').isVisible(), false);
		assert.equal(await view.colourAt(x, y), before);
		await box.fill('ESCAPE');
		await view.settle();
		assert.equal(await found(), '4.0 %, 1 function');
		await page.getByRole('button', { name: /capital letters|Aa/ }).click();
		await view.settle();
		assert.equal(await found(), 'nothing');
		await page.getByRole('button', { name: /capital letters|Aa/ }).click();
		await box.fill('parse(');
		await view.settle();
		assert.match(await found(), /as plain text/);
		assert.equal(await box.getAttribute('aria-invalid'), 'true');
		await box.fill('esc.py');
		await view.settle();
		assert.equal(await found(), '4.0 %, 1 function', 'files too');
		await view.focusFlame();
		await view.press('n');
		assert.match(await view.status(), /^escape/);
		assert.equal((await view.fragment()).search, 'esc.py');
	},
);

look('colours: by module, file, state', ofShop, {}, async (view) => {
	const boxAt = async (level, share) => view.colourAt(...(await view.flamePoint(level, share)));
	const near = async (level, share) => {
		const legend = await view.legend('.flame-legend');
		const colour = await boxAt(level, share);
		return Object.entries(legend).sort((a, b) => apart(colour, a[1]) - apart(colour, b[1]))[0][0];
	};
	assert.equal(await near(2, 0.4), 'standard library');
	assert.equal(await near(4, 0.905), 'packages', 'escape of markup');
	assert.equal(await near(1, 0.6), 'own code');
	const byModule = await boxAt(1, 0.6);
	await view.choose('Colour', 'file');
	assert.notEqual(await boxAt(1, 0.6), byModule);
	assert.notEqual(await boxAt(1, 0.6), await boxAt(1, 0.9), 'another file');
	assert.equal((await view.fragment()).colour, 'file');
	await view.choose('Colour', 'state');
	assert.match(await near(2, 0.4), /waiting/);
	assert.match(await near(3, 0.84), /processor|running/);
});

look(
	'narrow frames are pooled where they are seen, and zooming reaches each',
	ofWide,
	{},
	async (view) => {
		// main: heavy 3000, then 3000 of one sample each: 0.3 pixels
		const tip = await view.hoverBox(2, 0.7);
		assert.match(tip, /^[\d ]+ calls too narrow to draw together .*Click to zoom in/);
		const count = Number(/^([\d ]+) calls/.exec(tip)[1].replaceAll(' ', ''));
		assert.ok(count > 100, tip);
		for (let i = 0; i < 6; i++) {
			const said = await view.hoverBox(2, i ? 0.5 : 0.7);
			if (/^narrow_\d+/.test(said)) break;
			assert.match(said, /too narrow/);
			await view.clickBox(2, i ? 0.5 : 0.7);
		}
		const name = /^(narrow_\d+)/.exec(await view.hoverBox(2, 0.5));
		assert.ok(name, 'one of them can be seen');
		await view.clickBox(2, 0.5);
		assert.match(await view.hoverBox(3, 0.5), /^leaf_\d+ .*self 1\.00 ms/);
		assert.equal((await view.crumbs()).at(-1), name[1]);
		// by search too
		await view.press('/');
		await view.page.keyboard.type('narrow_2987');
		await view.press('Enter');
		assert.match(await view.status(), /^narrow_2987/);
		assert.match(await view.hoverBox(2, 0.5), /^narrow_2987/);
	},
);

look(
	'the menu changes stacks: focus, keep, drop, merge, recursion, module',
	ofShop,
	{},
	async (view) => {
		const total = () => view.amount();
		const undo = async () => {
			await view.page
				.getByRole('button', { name: /^Remove: / })
				.last()
				.click();
			await view.settle();
			assert.equal(await total(), '12.4 s in all threads');
		};
		await view.menuAt(2, AT.serve);
		const menu = (await view.menu()).join('\n');
		for (const item of [
			/Focus on this function/,
			/Focus on this path/,
			/Keep only stacks with it/,
			/Drop stacks with it/,
			/Merge it into its callers/,
			/Collapse its recursion/,
			/Collapse all recursion/,
			/Collapse module app/,
			/Show in sandwich/,
			/Show source/,
			/Show in table/,
			/Copy stack/,
		]) {
			assert.match(menu, item);
		}
		await view.item('Focus on this function');
		assert.equal(await total(), '1.80 s in all threads');
		assert.match(await view.hoverBox(1, 0.5), /^serve .*100 %/);
		assert.match((await view.chips()).at(-1), /focus on serve/);
		await undo();

		await view.menuAt(2, AT.serve);
		await view.item('Focus on this path');
		assert.equal(await total(), '1.80 s in all threads');
		assert.match(await view.hoverBox(1, 0.5), /^main .*100 %/);
		await undo();

		await view.menuAt(3, 0.525); // parse of serve or of job: both have it
		await view.item('Keep only stacks with it');
		assert.equal(await total(), '1.30 s in all threads');
		await undo();

		await view.menuAt(2, AT.wait);
		await view.item('Drop stacks with it');
		assert.equal(await total(), '10.4 s in all threads');
		await undo();

		await view.menuAt(2, AT.serve);
		await view.item('Merge it into its callers');
		assert.equal(await total(), '12.4 s in all threads');
		assert.match(await view.hoverBox(2, 0.82), /^parse /);
		await undo();

		assert.match(await view.hoverBox(4, 0.58), /^walk /);
		await view.menuAt(3, 0.58);
		await view.item('Collapse its recursion');
		assert.match(await view.hoverBox(4, 0.58), /^leaf /);
		await undo();

		await view.menuAt(1, AT.main);
		await view.item(/Collapse module app/);
		assert.match(await view.hoverBox(1, AT.main), /^app /);
		assert.match(await view.hoverBox(2, AT.serve), /^(escape|encode|dumps) /);
		await undo();

		// keys do the same, and undo
		await view.clickBox(1, AT.main);
		await view.press('x');
		assert.equal(await total(), '8.40 s in all threads');
		await view.clickBox(1, 0.5);
		await view.press('u');
		assert.equal(await total(), '12.4 s in all threads');
		// several, in order; the link has them
		await view.menuAt(2, AT.wait);
		await view.item('Drop stacks with it');
		await view.menuAt(1, 0.3);
		await view.item('Keep only stacks with it');
		assert.equal(await total(), '8.00 s in all threads');
		const { drop, only } = await view.fragment();
		assert.ok(/^\d+$/.test(drop) && /^\d+$/.test(only));
		await view.click('Clear all');
		assert.equal(await total(), '12.4 s in all threads');
	},
);

look('menu: copies, and ways to other views', ofShop, {}, async (view) => {
	await view.menuAt(4, 0.905);
	await view.item('Copy stack');
	assert.deepEqual(
		(await view.clipboard()).split('\n').map((line) => line.split(' ')[0]),
		['main', 'serve', 'render', 'escape'],
	);
	assert.match(await view.text('.toast'), /Copied/);
	await view.menuAt(4, 0.905);
	await view.item('Copy name');
	assert.equal(await view.clipboard(), 'escape (markup/esc.py:1)');
	await view.menuAt(4, 0.905);
	await view.item('Show in sandwich');
	assert.match(
		await view.text('.sandwich-name'),
		/^escape \(markup\/esc\.py:1\): total 4\.0 %, self 4\.0 %/,
	);
	await view.tab('Flame graph');
	await view.menuAt(4, 0.905);
	await view.item('Show in table');
	assert.equal((await view.rows()).find((row) => row.chosen)?.Function, 'escape');
	await view.tab('Flame graph');
	await view.menuAt(4, 0.905);
	await view.item('Search for it');
	assert.equal((await view.fragment()).search, 'escape');
});

look('keys alone: move, zoom, menu', ofShop, {}, async (view) => {
	await view.focusFlame();
	await view.press('ArrowUp');
	assert.match(await view.status(), /^All that is shown/);
	await view.press('ArrowUp');
	assert.match(await view.status(), /^run /);
	await view.press('ArrowRight');
	assert.match(await view.status(), /^main .*: 4\.00 s, 32\.3 %/);
	await view.press('ArrowUp');
	assert.match(await view.status(), /^wait /);
	await view.press('ArrowRight', 'Enter');
	assert.deepEqual(await view.crumbs(), ['all', 'main', 'serve']);
	await view.press('Shift+F10');
	await view.press('ArrowDown', 'ArrowDown');
	assert.equal(await view.page.locator('[role=menuitem]:focus').count(), 1);
	await view.press('Escape');
	assert.equal(await view.page.getByRole('menu').isVisible(), false);
	await view.press('Escape');
	assert.deepEqual(await view.crumbs(), ['all', 'main']);
	await view.press('Home', 'Enter');
	assert.deepEqual(await view.crumbs(), ['all']);
});

look('flame chart: a thread in order of time', ofShop, {}, async (view) => {
	await view.tab('Flame chart');
	const panel = view.page.locator('#panel-chart');
	assert.match(await view.text('#panel-chart'), /busiest: MainThread of shop/);
	await view.choose('Thread', { label: 'worker of shop' });
	const holder = panel.locator('.flame-holder');
	const box = await holder.boundingBox();
	const at = (ms) => box.x + (ms / 4000) * box.width;
	const tips = new Map();
	for (const ms of [250, 750, 1500, 2050]) {
		for (let y = 30; y < box.height; y += 6) {
			await view.page.mouse.move(at(ms), box.y + y);
			await view.settle();
			if (await view.isTipShown())
				tips.set(`${ms} ${(await view.tip()).split(' ')[0]}`, await view.tip());
		}
	}
	const names = [...tips.keys()];
	for (const name of ['250 run', '250 job', '250 leaf', '750 parse', '1500 idle', '2050 collect']) {
		assert.ok(names.includes(name), `${name} among ${names.join(', ')}`);
	}
	assert.match(
		tips.get('750 parse'),
		/about 500 ms from 0\.50* s, 500 samples .*waiting for the GIL/i,
	);
	assert.ok(!names.includes('1500 leaf'));
	// zoom in time, select, all threads
	await view.page.mouse.move(at(750), box.y + 60);
	await view.wheel(0, -300, 'Control');
	assert.match((await view.fragment()).window, /\.\./);
	await view.page.mouse.click(at(750), box.y + 60);
	await view.settle();
	assert.match((await view.fragment()).sample, /^\d+$/);
	assert.match(
		plain(await panel.locator('.flame-status').innerText()),
		/about .* samples, depth \d/,
	);
	await view.press('Escape');
	assert.equal((await view.fragment()).window, undefined);
	await view.choose('Thread', { label: 'all' });
	assert.equal((await view.fragment()).lane, 'all');
});

look('sandwich: callers above, callees below, for any function', ofShop, {}, async (view) => {
	await view.tab('Sandwich');
	await view.page.getByRole('searchbox', { name: 'Filter functions' }).fill('parse');
	await view.settle();
	await view.page.getByRole('option', { name: /parse/ }).click();
	await view.settle();
	assert.match(
		await view.text('.sandwich-name'),
		/^parse \(app\.py:1\): total 10\.5 %, self 10\.5 %/,
	);
	const graphs = view.page.locator('#panel-sandwich .flame-holder');
	assert.equal(await graphs.count(), 2);
	const tipsOf = async (graph) => {
		const box = await graph.boundingBox();
		const tips = new Set();
		for (let y = 8; y < box.height; y += 19) {
			for (const share of [0.1, 0.3, 0.5, 0.7, 0.9]) {
				await view.page.mouse.move(box.x + share * box.width, box.y + y);
				await view.settle();
				if (await view.isTipShown()) tips.add((await view.tip()).split(' ')[0]);
			}
		}
		return tips;
	};
	const callers = await tipsOf(graphs.first());
	for (const name of ['serve', 'main', 'job', 'run'])
		assert.ok(callers.has(name), [...callers].join());
	await view.page.getByRole('searchbox', { name: 'Filter functions' }).fill('serve');
	await view.settle();
	await view.page.getByRole('option', { name: /serve/ }).click();
	await view.settle();
	const callees = await tipsOf(graphs.last());
	for (const name of ['parse', 'render', 'dumps'])
		assert.ok(callees.has(name), [...callees].join());
	assert.ok((await tipsOf(graphs.first())).has('main'));
	// a click on a caller chooses it
	const box = await graphs.first().boundingBox();
	await view.page.mouse.click(box.x + box.width / 2, box.y + box.height - 28);
	await view.settle();
	assert.match(await view.text('.sandwich-name'), /^main /);
});

look('heat map: what comes back is a line; a drag selects', ofShop, {}, async (view) => {
	await view.mode('CPU');
	await view.page.getByRole('button', { name: /threads/ }).click();
	await view.page.getByRole('button', { name: 'None', exact: true }).click();
	await view.page.getByRole('checkbox').nth(2).waitFor();
	const boxes = view.page.locator('.threads-row').filter({ hasText: 'worker' }).locator('input');
	await boxes.nth(1).check();
	await view.press('Escape');
	await view.tab('Heat map');
	await view.choose('Column', { label: '1 s' });
	await view.choose('Rows', '20');
	// cells of 50 ms, from the keyboard: tick runs from 300 to 400 ms of each second
	await view.page.locator('.hm-scroll').focus();
	const counts = new Map();
	await view.press('ArrowRight');
	for (let cell = 0; cell < 80; cell++) {
		const [, from, count] = /^([\d.]+) s to .*, (\d+) samples/.exec(
			plain(await view.page.locator('.heatmap [role=status]').textContent()),
		);
		counts.set(Number(from).toFixed(2), Number(count));
		await view.page.keyboard.press('ArrowUp');
	}
	const busy = [...counts.keys()].filter((time) => counts.get(time) > 0);
	assert.deepEqual(busy, ['0.30', '0.35', '1.30', '1.35', '2.30', '2.35', '3.30', '3.35']);
	assert.ok(busy.every((time) => counts.get(time) === 50));
	await view.press('Enter');
	assert.equal((await view.fragment()).range, '3.95s..4s');
	// with the mouse: what is below it, and a drag
	const canvas = await view.page.locator('.hm-canvas').boundingBox();
	await view.page.mouse.move(canvas.x + 70, canvas.y + 10);
	await view.settle();
	assert.match(await view.tip(), /^0\.9\d* s to .* 0 samples on a processor/);
	await view.press('Escape');
	await view.click('Clear all');
	const now = await view.page.locator('.hm-canvas').boundingBox();
	await view.page.mouse.move(now.x + 80, now.y + 10);
	await view.page.mouse.down();
	await view.page.mouse.move(now.x + 150, now.y + 60, { steps: 4 });
	await view.page.mouse.up();
	await view.settle();
	const { range } = await view.fragment();
	assert.match(range, /\.\./);
	assert.doesNotMatch(await view.amount(), /12\.4 s/);
});
