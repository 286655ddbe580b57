/** For tests of providers and plugins: the conformance suite, a provider in memory, faults, and a run whose time is virtual. */
export * from '@sfx-deploy/core/testing';
