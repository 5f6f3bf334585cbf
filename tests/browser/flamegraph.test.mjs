// SPDX-License-Identifier: MIT
// The flame graph, used as a person would.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeFile, makeSvg, open, start, stop } from './harness.mjs';
import { manyStacks, shopStacks } from './stacks.mjs';

const COMMAND = 'python -m shop serve --port 8080';
const TOTAL = 5780;
let shop;

before(async () => {
	await start();
	shop = makeSvg(
		shopStacks(),
		'-t',
		'shop under load',
		'-c',
		COMMAND,
		'-u',
		'1 ms',
		'-d',
		'/srv/shop',
	);
});
after(stop);

// A test with a window of its own, closed (and checked for faults) at the end.
function look(name, address, options, body) {
	test(name, async () => {
		const view = await open(address(), options);
		try {
			await body(view);
		} finally {
			await view.close();
		}
	});
}
const ofShop = () => shop;

look('shows what was recorded', ofShop, {}, async (view) => {
	assert.equal(await view.page.title(), 'shop under load');
	assert.equal(await view.text('h1'), 'shop under load');
	assert.equal(await view.text('.command'), COMMAND);
	assert.equal(await view.text('.totals'), '5780 samples · 5.78 s');
	assert.match(
		await view.text('.legend'),
		/^own code 11 % packages 40 % standard library 34 % other 16 %$/,
	);
	const frames = await view.frames();
	const first = frames.filter(({ level }) => level === 1);
	assert.equal(
		first.reduce((sum, { samples }) => sum + samples, 0),
		TOTAL,
	);
	assert.equal((await view.frame('all')).samples, TOTAL);
	// the root is at the bottom, callers under callees
	assert.ok((await view.frame('all')).y > (await view.frame('MainThread')).y);
});

look('hover says name, file, line shares, samples, time and percent', ofShop, {}, async (view) => {
	await view.point('show_cart');
	const tip = await view.tip();
	assert.equal(
		tip,
		'show_cart shop/views.py:101 total 2465 samples · 2.46 s · 42.65 % self 0 samples · 0 % lines line 124: 53.35 %, line 120: 46.65 %',
	);
	assert.match(await view.text('footer'), /show_cart.*42\.65 %/);
	assert.ok(await view.page.locator('.tip').isVisible());
	await view.point('format_price');
	assert.match(await view.tip(), /everywhere 11\.76 % in 2 places/);
	await view.page.mouse.move(5, 5);
	await view.settle();
	assert.ok(!(await view.page.locator('.tip').isVisible()));
});

look('click zooms, and there are ways back', ofShop, {}, async (view) => {
	const { page } = view;
	const before = (await view.frame('Cart.total')).width;
	await view.click('show_cart');
	assert.equal(await view.crumb(), 'show_cart');
	assert.ok((await view.frame('Cart.total')).width > 2 * before);
	assert.equal((await view.frame('show_cart')).width, (await view.frame('all')).width);
	await view.point('Cart.total');
	assert.match(await view.tip(), /935 samples .* 16\.18 % of the zoom 37\.93 %/);
	// frames that are not part of it are gone
	assert.ok(!(await view.frames()).some(({ name }) => name === 'product_list'));

	await view.click('Cart.total');
	await view.press('Escape');
	assert.equal(await view.crumb(), 'show_cart');
	await view.press('Backspace');
	// the frames between have as many samples each: one step goes to the next that has more
	assert.equal(await view.crumb(), 'Flask.dispatch_request');
	await view.click('MainThread'); // an ancestor, shown below
	assert.equal(await view.crumb(), 'MainThread');
	await page.getByRole('button', { name: 'all', exact: true }).click();
	await view.settle();
	assert.equal(await view.zoomed(), '#');
	await view.click('Template.render');
	await view.press('Home');
	assert.equal(
		(await view.frame('show_cart')).width.toFixed(1),
		((2465 / TOTAL) * (await view.frame('all')).width).toFixed(1),
	);
	await view.click('show_cart');
	await page.goBack();
	await page.waitForFunction(() => location.hash.length < 2);
	await view.settle();
	assert.ok((await view.frames()).some(({ name }) => name === 'product_list'));
});

look('search marks matches and counts each sample once', ofShop, {}, async (view) => {
	const plain = await view.colourOf('Template.render');
	await view.search('render');
	// render_template calls Template.render: 1150 + 460 samples, not twice that
	assert.equal(await view.text('.found'), '27.85 % in 4 frames');
	assert.equal(await view.colourOf('Template.render'), '214,0,108');
	assert.notEqual(plain, '214,0,108');
	assert.deepEqual(
		new Set((await view.frames()).filter(({ hit }) => hit).map(({ name }) => name)),
		new Set(['render_template', 'Template.render']),
	);
	await view.press('Escape', 'Escape');
	assert.equal(await view.text('.found'), '');
	assert.equal(await view.colourOf('Template.render'), plain);
	await view.search('^show_cart$|views\\.py:44');
	assert.equal(await view.text('.found'), '74.31 % in 2 frames');
	await view.page.locator('canvas').focus();
	await view.click('show_cart');
	assert.equal(await view.text('.found'), '100 % of zoom, 74.31 % in 2 frames');
});

look('search: case toggle, bad expressions, non-ASCII', ofShop, {}, async (view) => {
	await view.search('TEMPLATE');
	assert.match(await view.text('.found'), /in [1-9]/);
	await view.press('Control+i');
	assert.equal(await view.text('.found'), 'no match');
	assert.equal(
		await view.page.getByRole('button', { name: 'Match case' }).getAttribute('aria-pressed'),
		'true',
	);
	await view.press('Control+i');
	assert.match(await view.text('.found'), /in [1-9]/);
	await view.page.locator('input').fill('render(');
	await view.settle();
	assert.match(await view.text('.found'), /Unterminated group/i);
	assert.equal(await view.page.locator('input').getAttribute('aria-invalid'), 'true');
	await view.page.locator('input').fill('größe_測定');
	await view.settle();
	assert.equal(await view.text('.found'), '0.95 % in 1 frame');
});

look('next and previous match, also where they are too narrow to see', ofShop, {}, async (view) => {
	await view.search('escape|plugin_07');
	const visited = [];
	for (let i = 0; i < 4; i++) {
		await view.press('Enter');
		visited.push((await view.text('footer')).split(' ')[0]);
	}
	assert.deepEqual(new Set(visited), new Set(['escape', 'plugin_07']));
	assert.equal(visited[0], visited[3]);
	await view.press('Shift+Enter');
	assert.equal((await view.text('footer')).split(' ')[0], visited[2]);
	await view.page.locator('canvas').focus();
	await view.press('n');
	assert.equal((await view.text('footer')).split(' ')[0], visited[3]);
	await view.press('N');
	assert.equal((await view.text('footer')).split(' ')[0], visited[2]);
	await view.search('plugin_07');
	await view.press('Enter');
	assert.ok((await view.frame('plugin_07')).width > 20);
});

look('keyboard only', ofShop, {}, async (view) => {
	const focused = () => view.page.locator('#frame-in-focus').getAttribute('aria-label');
	await view.press('ArrowUp');
	assert.equal(await focused(), 'all, 100 %');
	assert.equal(
		await view.page.locator('canvas').getAttribute('aria-activedescendant'),
		'frame-in-focus',
	);
	await view.press('ArrowUp');
	assert.equal(
		await focused(),
		'MainThread, 78.36 %'.replace('78.36', ((100 * 4485) / TOTAL).toFixed(2)),
	);
	await view.press('ArrowRight');
	assert.match(await focused(), /^mailer/);
	await view.press('ArrowRight');
	assert.match(await focused(), /^mailer/, 'nothing further right');
	await view.press('ArrowUp', 'ArrowUp', 'ArrowUp', 'Enter');
	assert.equal(await view.crumb(), 'Mailer.loop');
	await view.press('ArrowDown');
	assert.match(await focused(), /^Thread\.run/);
	await view.press('ArrowUp', 'ArrowUp', 'ArrowRight');
	assert.match(await focused(), /^SMTP\.sendmail/);
	await view.press('Escape');
	assert.equal(await view.zoomed(), '#');
	await view.press('?');
	assert.ok(await view.page.getByRole('dialog').isVisible());
	await view.press('Escape');
	assert.ok(!(await view.page.getByRole('dialog').isVisible()));
	await view.press('/');
	assert.equal(await view.page.evaluate(() => document.activeElement.localName), 'input');
	await view.page.keyboard.type('i?0'); // letters that are commands elsewhere
	assert.equal(await view.typed(), 'i?0');
});

look('light, dark and the toggle', ofShop, { scheme: 'dark' }, async (view) => {
	const paper = () => view.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const dark = await paper();
	const darkFrame = await view.colourOf('show_cart');
	assert.equal(dark, 'rgb(23, 21, 19)');
	await view.press('t');
	assert.equal(await paper(), 'rgb(252, 251, 249)');
	assert.notEqual(await view.colourOf('show_cart'), darkFrame);
	await view.page.reload();
	await view.settle();
	assert.equal(await paper(), 'rgb(252, 251, 249)', 'kept over a reload');
	await view.press('t');
	assert.equal(await paper(), dark);
});

look('follows the system when it changes', ofShop, { scheme: 'light' }, async (view) => {
	const light = await view.colourOf('show_cart');
	await view.page.emulateMedia({ colorScheme: 'dark' });
	await view.settle();
	assert.notEqual(await view.colourOf('show_cart'), light);
});

look(
	'what is too narrow is a visible remainder that can be looked into',
	ofShop,
	{ width: 900 },
	async (view) => {
		const rest = await view.frame('rest');
		assert.equal(rest.samples, 40);
		assert.ok(rest.width > 2);
		await view.point('rest');
		assert.match(
			await view.tip(),
			/^80 more frames total 40 samples · 40 ms · 0\.69 % too narrow/,
		);
		await view.click('rest');
		assert.equal(await view.crumb(), '40 smaller calls');
		assert.ok((await view.frame('plugin_07')).width > 15);
		await view.point('plugin_07');
		assert.match(await view.tip(), /line 17: 100 %/);
		await view.page.reload();
		await view.settle();
		assert.equal(await view.crumb(), '40 smaller calls');
		await view.press('Escape');
		assert.equal(await view.crumb(), 'product_list');
	},
);

const crowd = () =>
	makeSvg(
		Array.from(
			{ length: 20000 },
			(_, i) => `root;f${i} (crowd.py:1);g${i} (crowd.py:2) 1`,
		).join('\n') + '\n',
	);
look('every one of 20,000 equal siblings can be reached', crowd, {}, async (view) => {
	for (let step = 0; step < 8; step++) {
		const frames = await view.frames();
		const level2 = frames.filter(({ level }) => level === 2);
		assert.equal(level2.reduce((sum, { samples }) => sum + samples, 0) > 0, true);
		const last = level2[level2.length - 1];
		if (!last.rest) {
			assert.match(last.name, /^f\d+$/);
			return;
		}
		await view.page.mouse.click(last.x + last.width / 2, last.y + last.height / 2);
		await view.settle();
	}
	assert.fail('still only remainders after 8 clicks');
});

look('icicle', ofShop, {}, async (view) => {
	await view.press('i');
	assert.ok((await view.frame('all')).y < (await view.frame('MainThread')).y);
	await view.press('ArrowDown', 'ArrowDown');
	assert.match(await view.text('footer'), /^MainThread/);
	await view.page.reload();
	await view.settle();
	assert.ok((await view.frame('all')).y < (await view.frame('MainThread')).y);
	await view.page.getByRole('button', { name: 'Flames or icicles' }).click();
	await view.settle();
	assert.ok((await view.frame('all')).y > (await view.frame('MainThread')).y);
});

look(
	'icicle from the start',
	() => makeSvg(shopStacks(), '-i'),
	{},
	async (view) => {
		assert.ok((await view.frame('all')).y < (await view.frame('MainThread')).y);
	},
);

look('a link brings back zoom and search', ofShop, {}, async (view) => {
	await view.click('show_cart');
	await view.search('Decimal|price');
	await view.press('Control+i');
	const found = await view.text('.found');
	const hash = await view.zoomed();
	assert.match(hash, /zoom=\d+&search=Decimal%7Cprice&case=1/);
	const again = await open(shop + hash);
	assert.equal(await again.crumb(), 'show_cart');
	assert.equal(await again.typed(), 'Decimal|price');
	assert.equal(await again.text('.found'), found);
	await again.close();
});

test('a wrong link shows everything', async () => {
	for (const hash of [
		'#zoom=99999999',
		'#zoom=-1',
		'#zoom=3.9-1',
		'#zoom=0.0-5000',
		'#zoom=%00&theme=x&view=y',
		'#%',
		'#search=(',
	]) {
		const view = await open(shop + hash);
		assert.equal((await view.frame('all')).samples, TOTAL, hash);
		await view.close();
	}
});

test('hostile names are text', async () => {
	const names = [
		'</script><img src=x onerror=fireglassHurt()>',
		']]><script>fireglassHurt()</script>',
		'<svg onload=fireglassHurt()>',
		'"\' onmouseover="fireglassHurt()',
		'&lt;script&gt;',
		'a\u202eb\u2066c',
		'bell\u0007\u001b[31m\ufffe',
		'W'.repeat(10000),
		'__proto__',
		'שלום עולם',
	];
	const escape = (name) =>
		[...name.replace(/\\/g, '\\\\')]
			.map((c) =>
				c < ' ' || c === ';' ? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}` : c,
			)
			.join('');
	const folded =
		names.map((name) => `${escape(name)};${escape(name)} (${escape(name)}:3#1) 10`).join('\n') +
		'\n';
	const view = await open(
		makeSvg(folded, '-t', names[0], '-c', names[1] + names[3], '-u', names[2]),
	);
	const shown = (await view.frames()).filter(({ level }) => level === 1).map(({ name }) => name);
	const visible = names.map((name) =>
		name
			.replace('\u202e', '\\u202e')
			.replace('\u2066', '\\u2066')
			.replace('\u0007', '\\x07')
			.replace('\u001b', '\\x1b')
			.replace('\ufffe', '\\ufffe'),
	);
	assert.deepEqual(new Set(shown), new Set(visible));
	for (const { x, y, width, height } of (await view.frames()).filter(
		({ level }) => level === 1,
	)) {
		await view.page.mouse.move(x + width / 2, y + height / 2);
		await view.settle();
		await view.page.mouse.click(x + width / 2, y + height / 2);
		await view.press('Home');
	}
	await view.search('<|onerror');
	await view.press('Enter');
	const made = await view.page.evaluate(() =>
		[
			...new Set([...document.querySelectorAll('*')].map((element) => element.localName)),
		].filter((tag) => ['img', 'script', 'svg', 'iframe', 'a'].includes(tag)),
	);
	assert.deepEqual(made, []);
	assert.ok(
		await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
		'no name widens the page',
	);
	await view.close();
});

test('20,000 stacks', async () => {
	const address = makeSvg(manyStacks(20000), '-u', '1 ms');
	const megabytes = (readFileSync(fileURLToPath(address)).length / 1e6).toFixed(1);
	const view = await open(makeFile('html', '<title>empty</title>'));
	await view.page.addInitScript(() => {
		const watch = () => {
			if (!document.querySelector('canvas.chart')) return requestAnimationFrame(watch);
			// a frame that is painted, and a task after it: input would be answered now
			return requestAnimationFrame(() =>
				setTimeout(() => {
					globalThis.readyAt = performance.now();
				}),
			);
		};
		requestAnimationFrame(watch);
	});
	const times = [];
	for (let i = 0; i < 3; i++) {
		await view.page.goto(address);
		await view.page.waitForFunction(() => globalThis.readyAt);
		times.push(Math.round(await view.page.evaluate(() => globalThis.readyAt)));
	}
	const frames = (await view.frames()).length;
	const started = Date.now();
	await view.search('function_12');
	const searched = Date.now() - started;
	assert.match(await view.text('.found'), /% in/);
	console.log(
		`# 20,000 stacks (${megabytes} MB, ${frames} boxes): ready after ${times.join(', ')} ms; search ${searched} ms`,
	);
	assert.ok(Math.min(...times) < 10000);
	await view.close();
});

const deep = () =>
	makeSvg(
		`${Array.from({ length: 3000 }, (_, i) => `f${i} (deep.py:${i})`).join(';')} 5\nother 1\n`,
	);
look('very deep stacks scroll', deep, {}, async (view) => {
	assert.ok((await view.frame('all')).y < 800, 'begins at the root');
	await view.page.mouse.move(600, 400);
	await view.page.mouse.wheel(0, -20000);
	await view.page.waitForFunction(() => document.querySelector('main').scrollTop < 50000);
	await view.settle();
	const inSight = (await view.frames()).filter(({ y }) => y > 100 && y < 700);
	assert.ok(inSight.length > 20);
	await view.page.mouse.move(600, inSight[0].y + 5);
	await view.settle();
	assert.match(await view.tip(), /^f\d+ deep\.py/);
	await view.page.mouse.click(600, inSight[0].y + 5);
	await view.settle();
	const zoomed = await view.frame(inSight[0].name);
	assert.ok(zoomed.y > 100 && zoomed.y < 800, 'the zoomed frame is in sight');
});

look('narrow windows', ofShop, { width: 390, height: 780 }, async (view) => {
	await view.search('render');
	assert.ok(await view.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	assert.ok(await view.page.locator('.found').isVisible());
	const { width } = await view.frame('all');
	assert.ok(width > 340 && width <= 390);
	await view.page.setViewportSize({ width: 1000, height: 780 });
	await view.page.waitForFunction(() => document.querySelector('canvas').frames()[0].width > 900);
});

look(
	'without scripts it is a picture',
	ofShop,
	{ javaScriptEnabled: false, scheme: 'dark' },
	async (view) => {
		const { page } = view;
		assert.ok(await page.locator('text.label', { hasText: 'show_cart' }).isVisible());
		assert.ok(await page.locator('text', { hasText: COMMAND }).first().isVisible());
		const fill = await page
			.locator('rect.bg')
			.evaluate((rect) => getComputedStyle(rect).fill)
			.catch(() => null);
		if (fill !== null) assert.equal(fill, 'rgb(23, 21, 19)');
		assert.ok((await page.locator('rect.rest').count()) >= 1);
	},
);

test('in a page it stays a picture', async () => {
	const svg = readFileSync(fileURLToPath(shop), 'utf8').replace(/^<\?xml[^>]*>/, '');
	const view = await open(
		makeFile(
			'html',
			`<!DOCTYPE html><meta charset="utf-8"><h6>host</h6><img src="${shop}">${svg}`,
		),
	);
	assert.equal(await view.text('h6'), 'host');
	assert.deepEqual(
		await view.page.evaluate(() => [
			document.images[0].naturalWidth,
			document.querySelectorAll('canvas').length,
		]),
		[1200, 0],
	);
	assert.ok(await view.page.locator('text.label', { hasText: 'show_cart' }).first().isVisible());
	await view.close();
});
