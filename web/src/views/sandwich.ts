// SPDX-License-Identifier: MIT
import type { View } from '../app/app.js';

export function makeSandwich(): View {
	return {
		mount(root) {
			root.textContent = 'sandwich: not yet';
		},
		update() {},
		help: [],
	};
}
