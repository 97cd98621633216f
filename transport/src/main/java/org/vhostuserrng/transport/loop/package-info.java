/**
 * One thread that serves many guests: descriptors, deadlines, and rings that wait for a source, in turns that a test
 * can step by hand. Knows nothing of vhost-user or of virtqueues.
 */
package org.vhostuserrng.transport.loop;
