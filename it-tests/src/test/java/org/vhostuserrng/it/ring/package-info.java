/** Tests of virtqueues: split and packed, start and stop, notifications, hostile drivers. */
package org.vhostuserrng.it.ring;
