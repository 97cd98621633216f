package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/**
 * A message that {@link FrontendRequestHandler#receive} has decoded, and that {@link FrontendRequestHandler#serve} has
 * not executed yet.
 *
 * @param id the number of the request
 * @param needReply whether the front-end sets need_reply
 * @param request the decoded request; null if the message is invalid
 * @param violation the reason why the message is invalid; null if it is valid
 * @param files the files of the request, which must be prepared before it is executed
 */
record ReceivedRequest(
        int id, boolean needReply, FrontendRequest request, ProtocolViolationException violation, RequestFiles files) {}
