// SPDX-License-Identifier: MIT
// Folded text for the tests: a small web service by hand, and large profiles by a fixed random walk.

const LIB = '/usr/lib/python3.12';
const SITE = '/srv/shop/.venv/lib/python3.12/site-packages';
const APP = '/srv/shop/shop';

const serve = [
	'MainThread',
	`<module> (${APP}/__main__.py:12#1)`,
	`main (${APP}/cli.py:88#61)`,
	`serve_forever (${LIB}/socketserver.py:237#215)`,
	`BaseServer._handle_request_noblock (${LIB}/socketserver.py:318#301)`,
	`process_request (${LIB}/socketserver.py:349#345)`,
	`Handler.__init__ (${SITE}/werkzeug/serving.py:362#340)`,
	`Handler.run_wsgi (${SITE}/werkzeug/serving.py:331#260)`,
	`Flask.wsgi_app (${SITE}/flask/app.py:2525#2490)`,
	`Flask.full_dispatch_request (${SITE}/flask/app.py:1823#1808)`,
	`Flask.dispatch_request (${SITE}/flask/app.py:1799#1780)`,
];
const cart = [...serve, `show_cart (${APP}/views.py:120#101)`];
const cart2 = [...serve, `show_cart (${APP}/views.py:124#101)`];
const list = [...serve, `product_list (${APP}/views.py:61#44)`];
const render = [
	`render_template (${SITE}/flask/templating.py:151#140)`,
	`Template.render (${SITE}/jinja2/environment.py:1301#1285)`,
	`root (/srv/shop/templates/base.html:14#1)`,
];
const price = [
	`Cart.total (${APP}/models.py:210#200)`,
	`price_of (${APP}/models.py:98#90)`,
	`Decimal.__mul__ (${LIB}/decimal.py:402#380)`,
];
const sql = [
	`Query.all (${SITE}/sqlalchemy/orm/query.py:2693#2673)`,
	`Connection._execute_context (${SITE}/sqlalchemy/engine/base.py:1969#1840)`,
	`do_execute (${SITE}/sqlalchemy/engine/default.py:922#921)`,
];
const worker = [
	'mailer',
	`Thread._bootstrap (${LIB}/threading.py:1002#990)`,
	`Thread.run (${LIB}/threading.py:982#970)`,
	`Mailer.loop (${APP}/mail.py:33#20)`,
];

export function shopStacks() {
	const rows = [
		[[...cart, ...render, `escape (${SITE}/markupsafe/__init__.py:40#31)`], 410],
		[
			[
				...cart,
				...render,
				`block_body (/srv/shop/templates/cart.html:31#9)`,
				`format_price (${APP}/filters.py:17#11)`,
				`quantize (${LIB}/decimal.py:2540#2501)`,
			],
			530,
		],
		[
			[
				...cart,
				...render,
				`block_body (/srv/shop/templates/cart.html:35#9)`,
				`Undefined.__str__ (${SITE}/jinja2/runtime.py:910#905)`,
			],
			120,
		],
		[[...cart, ...render, `block_body (/srv/shop/templates/cart.html:35#9)`], 90],
		[[...cart2, ...price], 620],
		[[...cart2, ...price.slice(0, 2)], 240],
		[[...cart2, ...price.slice(0, 1), `<lambda> (${APP}/models.py:212#212)`], 75],
		[[...cart2, ...sql], 380],
		[[...list, ...sql], 840],
		[[...list, ...sql, `fetchall (${SITE}/sqlalchemy/engine/result.py:1130#1120)`], 230],
		[[...list, ...render, `escape (${SITE}/markupsafe/__init__.py:40#31)`], 310],
		[
			[
				...list,
				...render,
				`include_card (/srv/shop/templates/card.html:4#1)`,
				`format_price (${APP}/filters.py:17#11)`,
			],
			150,
		],
		[
			[
				...list,
				`slugify (${APP}/text.py:9#5)`,
				`sub (${LIB}/re/__init__.py:186#179)`,
				`_compile (${LIB}/re/__init__.py:294#270)`,
			],
			260,
		],
		[
			[
				...serve.slice(0, 2),
				'import',
				`_find_and_load (<frozen importlib._bootstrap>:1360#1349)`,
				`exec_module (<frozen importlib._bootstrap_external>:995#988)`,
			],
			130,
		],
		[
			[
				...serve.slice(0, 3),
				`Config.load (${APP}/config.py:40#22)`,
				`loads (${LIB}/json/__init__.py:346#299)`,
				`JSONDecoder.decode (${LIB}/json/decoder.py:337#332)`,
			],
			60,
		],
		[[...worker, `Queue.get (${LIB}/queue.py:171#154)`, '(idle)'], 900],
		[
			[
				...worker,
				`SMTP.sendmail (${LIB}/smtplib.py:887#820)`,
				`SSLSocket.send (${LIB}/ssl.py:1180#1170)`,
			],
			340,
		],
		[[...worker, `naïve_größe_測定 (${APP}/mail.py:71#66)`], 55],
	];
	for (let i = 0; i < 40; i++)
		rows.push([
			[
				...list,
				`plugin_${String(i).padStart(2, '0')} (${APP}/plugins/p${i}.py:${10 + i}#5)`,
				`hook (${APP}/plugins/p${i}.py:${20 + i}#18)`,
			],
			1,
		]);
	return rows.map(([frames, count]) => `${frames.join(';')} ${count}`).join('\n') + '\n';
}

function randomFrom(seed) {
	let state = seed >>> 0;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

// `count` distinct stacks, 10 to 60 deep, that share prefixes as real programs do.
export function manyStacks(count, seed = 7) {
	const random = randomFrom(seed);
	const roots = [APP, SITE + '/flask', SITE + '/sqlalchemy/orm', LIB, LIB + '/asyncio'];
	const frameOf = (n) =>
		`function_${n} (${roots[n % 5]}/module_${n % 97}.py:${100 + (n % 800)}#${90 + (n % 800)})`;
	const lines = new Map();
	let stack = [];
	while (lines.size < count) {
		stack = stack.slice(0, random(stack.length + 1));
		const depth = 10 + random(50);
		while (stack.length < depth)
			stack.push(frameOf(Math.floor((random(3000) * random(1000)) / 1000)));
		lines.set(stack.join(';'), 1 + random(5));
	}
	return [...lines].map(([frames, n]) => `${frames} ${n}`).join('\n') + '\n';
}
