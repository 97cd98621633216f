/**
 * {@code check-source}: is this a source that should be served? Health tests, throughput, and what a sample of its bytes
 * says of its min-entropy. Such estimates find what is wrong; they cannot prove that a source is good.
 */
package org.vhostuserrng.cli.checksource;
