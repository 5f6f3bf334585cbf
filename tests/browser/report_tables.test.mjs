// SPDX-License-Identifier: MIT
// Table, call tree, source, trust and details of a report; differences of two captures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { earlierCapture, laterCapture, shopCapture } from './report_captures.mjs';
import {
	apart,
	describe,
	folder,
	golden,
	look,
	open,
	plain,
	report,
	start,
	stop,
} from './report_harness.mjs';

let shop;
let change;

before(async () => {
	await start();
	shop = report(shopCapture());
	change = report(laterCapture(), '--baseline', earlierCapture());
});
after(stop);
const ofShop = () => shop;
const ofChange = () => change;
const ofDeep = () => {
	const calls = Array.from({ length: 30 }, (_, i) => `call_${i}`).join(';');
	return report(
		describe(['process 1 deep', 'thread 0 1 MainThread', `sample 0 100 0 cpu 1 ${calls}`]),
	);
};

/** An amount and its share. */
const amount = (cell) => cell.split(' · ');

look('table: self and total, sorted, with bars', ofShop, {}, async (view) => {
	await view.tab('Table');
	assert.match(await view.text('#panel-table [role=status]'), /^218 functions$/);
	const first = await view.rows();
	assert.deepEqual(
		first.slice(0, 3).map((row) => [row.Function, row.File, ...amount(row.Self)]),
		[
			['idle', 'threading.py:1', '6.50 s', '52.4 %'],
			['wait', 'threading.py:1', '2.00 s', '16.1 %'],
			['parse', 'app.py:1', '1.30 s', '10.5 %'],
		],
	);
	const bar = (name) =>
		view
			.row(name)
			.locator('td.self')
			.evaluate((cell) => Number(cell.style.getPropertyValue('--high')));
	assert.ok(Math.abs((await bar('idle')) - 0.524) < 0.001);
	await view.sort('Total');
	assert.deepEqual((await view.names()).slice(0, 4), ['run', 'idle', 'main', 'wait']);
	assert.equal((await view.fragment()).sort, 'total');
	const column = view.page.getByRole('columnheader', { name: 'Total' });
	assert.equal(await column.getAttribute('aria-sort'), 'descending');
	await view.sort('Total');
	assert.equal(await column.getAttribute('aria-sort'), 'ascending');
	assert.match((await view.names())[0], /^plugin_/);
	await view.sort('Function');
	assert.deepEqual((await view.names()).slice(0, 3), ['batch', 'boot', 'collect']);
	await view.sort('File');
	assert.equal((await view.rows())[0].File, 'app.py:1');
	// what was seen once is not sure to be more than nothing
	const once = view.page.getByRole('row', { name: /plugin_005/ });
	await view.sort('Self');
	await view.page
		.locator('.rows')
		.filter({ visible: true })
		.evaluate((e) => e.scrollTo(0, 400));
	await view.settle();
	assert.match(plain(await once.innerText()), /±/);
});

look('table: filter, granularity, units, search', ofShop, {}, async (view) => {
	await view.tab('Table');
	const filter = view.page.getByRole('searchbox', { name: /Filter the rows/ });
	await filter.fill('json');
	await view.settle();
	assert.deepEqual((await view.names()).sort(), ['dumps', 'encode']);
	assert.match(
		await view.text('#panel-table [role=status]'),
		/^2 of 218 functions, together self 4\.0 %/,
	);
	await filter.fill('/^(parse|walk) /');
	await view.settle();
	assert.deepEqual((await view.names()).sort(), ['parse', 'walk']);
	assert.equal((await view.fragment()).filter, '/^(parse|walk) /');
	await filter.fill('nothing is called so');
	await view.settle();
	assert.deepEqual(await view.rows(), []);
	assert.match(await view.text('#panel-table'), /No row passes the filter/);
	await filter.fill('');
	await view.choose('by', 'modules');
	const modules = await view.rows();
	assert.deepEqual(
		modules.slice(0, 2).map((row) => row.Module),
		['threading', 'app'],
	);
	assert.deepEqual(amount(modules[1].Total), ['4.50 s', '36.3 %'], 'main, and parse of the worker');
	await view.choose('by', 'files');
	assert.equal((await view.rows())[0].File, 'threading.py');
	await view.choose('by', 'lines');
	await filter.fill('walk');
	await view.settle();
	const lines = await view.rows();
	assert.equal(lines.length, 2);
	const leaf = lines.find((row) => row.Function === 'walk' && row.Line === 'jobs.py:11');
	assert.deepEqual(amount(leaf.Total), ['500 ms', '4.0 %']);
	await filter.fill('');
	await view.choose('by', 'functions');
	await view.choose('in', 'samples');
	assert.deepEqual(amount((await view.rows())[0].Self), ['6 500', '52.4 %']);
	assert.equal(await view.amount(), '12 400 samples');
	await view.choose('in', 'percent');
	assert.equal((await view.rows())[0].Self, '52.4 %');
	await view.page.getByRole('grid').focus();
	await view.press('t');
	assert.deepEqual(amount((await view.rows())[0].Self), ['6.50 s', '52.4 %']);
	await view.press('/');
	await view.page.keyboard.type('^parse');
	await view.settle();
	assert.deepEqual(
		(await view.rows()).filter((row) => row.match).map((row) => row.Function),
		['parse'],
	);
	await view.press('Enter');
	assert.equal((await view.rows()).find((row) => row.chosen)?.Function, 'parse');
});

look('table: keys, menu, jump, copy, hover', ofShop, {}, async (view) => {
	await view.tab('Table');
	await view.row('idle').click();
	await view.press('ArrowDown', 'ArrowDown');
	assert.equal((await view.rows()).find((row) => row.chosen).Function, 'parse');
	assert.match(await view.text('#details'), /parse/);
	await view.row('parse').click({ button: 'right' });
	await view.item('Drop stacks with it');
	assert.equal(await view.amount(), '11.1 s in all threads');
	assert.ok(!(await view.names()).includes('parse'));
	await view.page.goBack();
	await view.settle();
	assert.equal(await view.amount(), '12.4 s in all threads');
	await view.row('tick').dblclick();
	await view.settle();
	assert.match(await view.text('.sandwich-name'), /^tick /);
	await view.tab('Table');
	await view.row('parse').hover();
	await view.settle();
	assert.match(
		await view.tip(),
		/^parse app\.py:1 .*self 1\.30 s, 10\.5 % \(95 %: 10\.0 % to 11\.0 %\)/,
	);
	await view.page.locator('#panel-table').getByRole('button', { name: /Copy/ }).click();
	const copied = (await view.clipboard())
		.trimEnd()
		.split('\n')
		.map((line) => line.split('\t'));
	assert.deepEqual(copied[0].slice(0, 3), ['self samples', 'self s', 'self %']);
	assert.equal(copied.length, 219);
	assert.deepEqual(copied[1].slice(0, 3), ['6500', '6.5', '52.419']);
});

look('call tree: open and close by keys; inverted', ofShop, {}, async (view) => {
	await view.tab('Call tree');
	const tree = view.page.getByRole('treegrid');
	const tidy = (rows) => rows.map((row) => [row.level, row.Function.replace(/^[▾▸]/, '')]);
	assert.deepEqual(tidy(await view.rows()), [
		[1, 'run'],
		[2, 'idle'],
		[2, 'job'],
		[1, 'main'],
		[1, 'batch'],
	]);
	await tree.focus();
	await view.press('Home', 'ArrowDown', 'ArrowDown');
	assert.match((await view.rows()).find((row) => row.chosen).Function, /job$/);
	await view.press('ArrowRight');
	assert.equal((await view.rows()).find((row) => row.chosen).open, 'true');
	assert.deepEqual(tidy(await view.rows()).slice(2, 7), [
		[2, 'job'],
		[3, 'parse'],
		[3, 'walk'],
		[3, 'tick'],
		[3, 'collect'],
	]);
	await view.press('ArrowRight');
	assert.match((await view.rows()).find((row) => row.chosen).Function, /parse$/);
	await view.press('ArrowLeft', 'ArrowLeft');
	assert.equal((await view.rows()).find((row) => /job$/.test(row.Function)).open, 'false');
	await view.press('*');
	assert.deepEqual(
		tidy(await view.rows()).filter(([level]) => level > 3),
		[
			[4, 'walk'],
			[5, 'leaf'],
		],
	);
	const walk = (await view.rows()).find((row) => row.level === 4);
	assert.deepEqual(amount(walk.Total), ['500 ms', '4.0 %']);
	await view.click('Inverted');
	assert.deepEqual(
		tidy(await view.rows())
			.filter(([level]) => level === 1)
			.slice(0, 3),
		[
			[1, 'idle'],
			[1, 'wait'],
			[1, 'parse'],
		],
	);
	await tree.focus();
	await view.press('Home', 'ArrowDown');
	while (!/parse$/.test((await view.rows()).find((row) => row.chosen).Function))
		await view.press('ArrowDown');
	await view.press('ArrowRight');
	const rows = await view.rows();
	const at = rows.findIndex((row) => /parse$/.test(row.Function));
	assert.deepEqual(
		rows
			.slice(at + 1, at + 3)
			.map((row) => [row.level, row.Function.replace(/^[▾▸]/, ''), ...amount(row.Self)]),
		[
			[2, 'serve', '800 ms', '6.5 %'],
			[2, 'job', '500 ms', '4.0 %'],
		],
	);
	// many light calls are a row that opens
	await view.click('Inverted');
	await view.click('Close all');
	await view.page
		.getByText('main', { exact: true })
		.filter({ visible: true })
		.first()
		.click({ button: 'right' });
	await view.item('Open all below');
	const opened = (await view.names()).join('\n');
	assert.match(opened, /boot/);
});

look('source: heat of each line, and a jump from any frame', ofShop, {}, async (view) => {
	await view.menuAt(3, 0.525); // parse, of serve: line 30
	await view.item('Show source');
	const code = view.page.locator('#panel-source');
	await view.page.locator('#panel-source table').filter({ hasText: 'line.split' }).waitFor();
	const text = plain(await code.innerText());
	assert.match(text, /app\.py/);
	assert.match(text, /1\.30 s.* 1\.30 s.* 30 words = line\.split\(\) # line 30/);
	assert.match(text, /800 ms.* 20 serve_request\(\)/);
	assert.match(text, /500 ms.* 22 page = render\(\)/);
	assert.match(text, /4\.00 s.* 10 main\(\)/);
	assert.doesNotMatch(text, /changed after the recording/);
	// hotter lines are coloured more
	const heat = async (source) =>
		code
			.locator('tr')
			.filter({ hasText: source })
			.first()
			.evaluate((row) => {
				const { backgroundColor, backgroundImage, boxShadow } = getComputedStyle(
					row.querySelector('.code'),
				);
				return `${backgroundColor} ${backgroundImage} ${boxShadow}`;
			});
	assert.notEqual(await heat('words = line.split()'), await heat('# 28'));
	// a file that was changed since says so
	await view.page.locator('.source-side').getByText('jobs.py', { exact: true }).click();
	await view.settle();
	assert.match(plain(await code.innerText()), /changed after the recording/);
	// one that could not be read has its numbers
	await view.page.locator('.source-side').getByText('threading.py', { exact: true }).click();
	await view.settle();
	assert.match(plain(await code.innerText()), /6\.50 s/);
	// files by name
	await view.page.getByRole('searchbox', { name: 'Filter files' }).fill('esc');
	await view.settle();
	assert.match(await view.text('.source-side'), /markup\/esc\.py/);
	assert.doesNotMatch(await view.text('.source-side'), /threading/);
	// the page can be made without
	const without = await open(report(shopCapture(), '--no-source'), { fragment: 'view=source' });
	assert.doesNotMatch(
		plain(await without.page.locator('#panel-source').innerText()),
		/line\.split/,
	);
	await without.close();
});

look(
	'trust: how samples were taken, what is missing, how sure numbers are',
	ofShop,
	{},
	async (view) => {
		await view.page.locator('.badge').click();
		await view.settle();
		const text = await view.text('#panel-trust');
		assert.match(text, /1 kHz, one tick each 1\.00 ms/);
		assert.match(text, /looked at 3 993 99\.8 %/);
		assert.match(text, /missed 7 0\.2 %/);
		assert.match(text, /read whole 12 400 100 %/);
		assert.match(text, /Python 3\.12\.1/);
		assert.match(text, /began 2023-11-14/);
		// Wilson, 95 %: p = 0.1, n = 12 400
		assert.match(text, /10\.0 % ± 0\.53 pp 9\.5 % to 10\.5 %/);
		await view.mode('GIL');
		assert.match(await view.text('#panel-trust'), /Shown now: 2 100 samples/);
		const states = await open(report(golden('states')), { fragment: 'view=trust' });
		const worse = await states.text('#panel-trust');
		assert.match(worse, /truncated 1 /);
		assert.match(worse, /not readable 1 /);
		assert.match(worse, /no room 2 /);
		assert.match(worse, /missed 5 /);
		await states.close();
		// cut off before it told how many ticks there were: what the head says is told here too
		const cut = describe([
			'process 1 a',
			'thread 0 1 MainThread',
			'sample 0 993 0 cpu 1 main',
			'loss 50 7',
		]);
		const short = await open(report(cut));
		await short.click('7 ticks missed');
		const told = await short.text('#panel-trust');
		assert.match(told, /^✓ ?No reason to worry: few ticks were missed \(7\)/);
		assert.match(told, /looked at 993 .*missed 7 0\.7 %/);
		await short.close();
	},
);

test('files beside the script have short names, wherever it was started', async () => {
	const main = '<module>@/srv/shop/main.py:3';
	const lines = [
		'fact cwd /home/me',
		'process 1 a',
		'thread 0 1 MainThread',
		`sample 0 50 0 cpu 1 ${main};job@/srv/shop/lib/jobs.py:9;dumps@/usr/lib/python3.12/json/a.py:1`,
		`sample 50 40 0 cpu 1 ${main};here@/home/me/plugin.py:2;there@/opt/there.py:2`,
	];
	const view = await open(report(describe(lines)), { fragment: 'view=table&sort=name' });
	const places = async () =>
		Object.fromEntries((await view.rows()).map((row) => [row.Function, row.File]));
	assert.deepEqual(await places(), {
		'<module>': 'main.py:1',
		dumps: 'json/a.py:1',
		here: 'plugin.py:1',
		job: 'lib/jobs.py:1',
		there: '/opt/there.py:1',
	});
	await view.choose('by', 'modules');
	assert.deepEqual((await view.names()).sort(), ['/opt', 'json', 'lib', 'main', 'plugin']);
	await view.close();
	const full = await open(report(describe(lines), '--full-paths'), { fragment: 'view=table' });
	assert.match(await full.text('#panel-table table'), /\/srv\/shop\/lib\/jobs\.py:1/);
	await full.close();
});

look('a function with few samples looks uncertain', ofShop, {}, async (view) => {
	await view.tab('Table');
	await view.page.getByRole('searchbox', { name: /Filter the rows/ }).fill('plugin_00');
	await view.settle();
	const [row] = await view.rows();
	assert.match(row.Self, /^1\.00 ms · 0\.01 ?± ?0\.0\d %$/);
	const faint = await view
		.row(row.Function)
		.locator('td.self')
		.evaluate((cell) => cell.className);
	assert.match(faint, /unsure/);
	await view.page.getByRole('searchbox', { name: /Filter the rows/ }).fill('parse');
	await view.settle();
	assert.doesNotMatch((await view.rows())[0].Self, /±/);
});

look('wall, CPU, GIL, idle; threads and processes', ofShop, {}, async (view) => {
	const amounts = {};
	for (const mode of ['CPU', 'GIL', 'Idle', 'Wall']) {
		await view.mode(mode);
		amounts[mode] = await view.amount();
	}
	// CPU: main 2000, worker 500 + 100, the other 400, batch 200 + 200 ready
	assert.deepEqual(amounts, {
		CPU: '3.40 s in all threads',
		GIL: '2.10 s in all threads',
		Idle: '9.00 s in all threads',
		Wall: '12.4 s in all threads',
	});
	await view.mode('GIL');
	await view.tab('Table');
	assert.deepEqual((await view.names()).slice(0, 2), ['parse', 'escape']);
	assert.deepEqual(amount((await view.rows())[0].Self), ['800 ms', '38.1 %']);
	await view.mode('Wall');
	const threads = () => view.page.getByRole('button', { name: /threads/ }).first();
	await threads().click();
	await view.page.getByRole('checkbox', { name: /batch/ }).first().uncheck();
	await view.settle();
	assert.equal(await view.amount(), '12.0 s in all threads');
	await view.page.getByRole('searchbox', { name: 'Filter the list of threads' }).fill('worker');
	await view.settle();
	assert.equal(await view.page.locator('.threads-row:not(.threads-process)').count(), 2);
	await view.page.getByRole('button', { name: 'None', exact: true }).click();
	await view.settle();
	assert.equal(await view.amount(), '4.00 s in all threads');
	await view.press('Escape');
	assert.match(plain(await threads().innerText()), /1 of 4 threads/);
	assert.ok(!(await view.names()).includes('tick'));
	await view.click('Clear all');
	assert.equal(await view.amount(), '12.4 s in all threads');
});

look('details follow what is selected', ofShop, {}, async (view) => {
	await view.tab('Table');
	await view.row('parse').click();
	await view.settle();
	const details = await view.text('#details');
	assert.match(details, /parse/);
	assert.match(details, /app\.py/);
	assert.match(details, /1\.30 s/);
	for (const caller of ['serve', 'job']) assert.ok(details.includes(caller), details);
	await view.page.locator('#details').getByRole('button', { name: 'Source' }).click();
	await view.settle();
	assert.equal((await view.fragment()).view, 'source');
	await view.pick('worker', 250, [0, 4000]);
	const sample = await view.text('#details');
	assert.match(sample, /leaf jobs\.py:20 job_line_20 .*walk jobs\.py:11 .*run jobs\.py:4/);
	await view.page.locator('#details').getByRole('button', { name: 'Copy stack' }).click();
	const copied = await view.clipboard();
	assert.match(copied, /run[\s\S]*job[\s\S]*walk[\s\S]*leaf/);
});

for (const width of [390, 700, 1300, 1440]) {
	test(`at ${width} px no amount is cut`, async () => {
		for (const address of [shop, change]) {
			const view = await open(address, { width });
			for (const unit of ['time', 'samples', 'percent']) {
				for (const name of ['table', 'tree', 'source']) {
					await view.go(`view=${name}&unit=${unit}&by=lines`);
					const cells = view.page.locator('[role=tabpanel]:not([hidden]) td.amount:visible');
					const cut = await cells.evaluateAll((all) =>
						all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.innerText),
					);
					assert.deepEqual(cut, [], `${name}, ${unit}`);
				}
			}
			await view.close();
		}
	});
}

look('a deep call has room for its name on a phone', ofDeep, { width: 390 }, async (view) => {
	await view.tab('Call tree');
	await view.click('Hottest path');
	const name = view.page.locator('.tree-view tbody tr .name-text').last();
	const [cell, text] = [await name.locator('xpath=..').boundingBox(), await name.boundingBox()];
	assert.match(await name.innerText(), /^call_29$/);
	assert.ok(cell.x + cell.width - text.x > 90, `${cell.x} + ${cell.width} - ${text.x}`);
});

// ---- differences ------------------------------------------------------------------------------------

/*
 * Before: parse 800, escape 500, encode 700 of 2000. After: parse 800, escape 1000, fresh 200 of 2000.
 */
look('a baseline: flame graph by difference, and what is gone', ofChange, {}, async (view) => {
	assert.match(await view.text('.head-before'), /^against /);
	assert.equal(await view.list('Colour').inputValue(), 'diff');
	// main: serve 1800 (render 1000, parse 800), fresh 200
	assert.match(
		await view.hoverBox(3, 0.2),
		/^render .*total 1\.00 s, 50\.0 %.* before 25\.0 % .*change \+25\.00 pp/,
	);
	assert.match(
		await view.hoverBox(3, 0.7),
		/^parse .* before 40\.0 % .*change 0 pp/,
	);
	assert.match(await view.hoverBox(2, 0.95), /^fresh .*change \+10\.00 pp/);
	const colour = async (level, share) => view.colourAt(...(await view.flamePoint(level, share)));
	const [more, same] = [await colour(3, 0.45), await colour(3, 0.88)];
	assert.ok(apart(more, same) > 1000);
	const gone = view.button(/^gone: 35\.0.% of before/, false);
	await gone.click();
	await view.settle();
	assert.equal((await view.fragment()).widths, 'before');
	assert.match(await view.hoverBox(3, 0.55), /^(dumps|parse|render) /);
	const names = new Set();
	for (const share of [0.1, 0.3, 0.5, 0.7, 0.9])
		names.add((await view.hoverBox(3, share)).split(' ')[0]);
	assert.ok(names.has('dumps'), [...names].join());
	const less = await colour(3, [0.1, 0.3, 0.5, 0.7, 0.9][[...names].indexOf('dumps')] ?? 0.9);
	assert.ok(apart(less, more) > 1000);
});

look('a baseline: table, tree, sandwich, source, timeline, details', ofChange, {}, async (view) => {
	await view.tab('Table');
	const heads = Object.keys((await view.rows())[0]);
	for (const head of ['Self', 'Self before', 'Difference', 'Total', 'Total before'])
		assert.ok(heads.includes(head), head);
	await view.choose('in', 'samples');
	const text = async (name) => {
		const row = (await view.rows()).find((each) => each.Function === name);
		return [
			row.Self,
			row['Self before'],
			plain(await view.row(name).locator('td.selfdiff').innerText()),
		];
	};
	assert.deepEqual(await text('escape'), ['1 000 · 50.0 %', '500 · 25.0 %', '+500']);
	assert.deepEqual(await text('encode'), ['', '700 · 35.0 %', '−700']);
	assert.deepEqual(await text('fresh'), ['200 · 10.0 %', '', '+200']);
	assert.deepEqual(await text('parse'), ['800 · 40.0 %', '800 · 40.0 %', '0']);
	await view.page.locator('#panel-table th.selfdiff button').click();
	await view.settle();
	assert.equal((await view.names())[0], 'escape');
	await view.page.locator('#panel-table th.selfdiff button').click();
	await view.settle();
	assert.equal((await view.names())[0], 'encode');
	await view.choose('in', 'percent');
	assert.match((await text('escape'))[2], /\+25\.0 pp/);
	await view.tab('Call tree');
	await view.page.getByRole('treegrid').focus();
	await view.press('Home', '*');
	const render = (await view.rows()).find((row) => /render$/.test(row.Function));
	assert.match(Object.values(render).join(' '), /50\.0 % 25\.0 % \+25\.0 pp/);
	await view.tab('Sandwich');
	await view.page.getByRole('option', { name: /encode/ }).click();
	await view.settle();
	assert.match(await view.text('.sandwich-name'), /^encode .*total 0 %/);
	await view.tab('Source');
	assert.match(await view.text('#panel-source'), /Before|Difference|before/);
	await view.tab('Heat map');
	await view.tab('Trust');
	assert.match(await view.text('#panel-trust'), /baseline|before|against|compared/i);
	await view.tab('Flame chart');
});

test('a baseline of another rate, with names of its own', async () => {
	const slow = describe([
		'fact period_ns 10000000',
		'process 1 a',
		'thread 0 1 MainThread',
		`sample 0 50 0 cpu 1 main@${folder}/app.py:10;other@/elsewhere/x.py:1`,
		`sample 50 50 0 cpu 1 main@${folder}/app.py:10;parse@${folder}/app.py:30`,
	]);
	const view = await open(report(laterCapture(), '--baseline', slow), { fragment: 'view=table' });
	const row = async (name) => (await view.rows()).find((each) => each.Function === name);
	// 50 ticks of 10 ms are 500 ms of 1 s
	assert.match((await row('other'))['Self before'], /^500 ms · /);
	assert.equal((await row('parse')).Self, '800 ms · 40.0 %');
	assert.match((await row('parse'))['Self before'], /^500 ms · /);
	await view.close();
});
