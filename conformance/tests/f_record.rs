//! Section F: what a window hears of by `WSAAsyncSelect`, in the rules that event objects share
//! (`e_record.rs`). `f_async_select.rs` has the rest.

mod ledger;

use conformance::ByMessage;

#[test]
fn r097_a_pending_accept_ex_takes_the_connection_first() {
    ledger::a_pending_accept_ex_takes_the_connection_first(ByMessage::of);
}

#[test]
fn r099_selecting_makes_the_socket_non_blocking_for_good() {
    ledger::selecting_makes_the_socket_non_blocking(ByMessage::of);
}

#[test]
fn r099_it_cannot_be_made_blocking_while_selected() {
    ledger::it_cannot_be_made_blocking_while_selected(ByMessage::of);
}

#[test]
fn r097_a_failing_accept_re_enables_it() {
    ledger::a_failing_accept_re_enables_it(ByMessage::of);
}

#[test]
fn r097_a_failing_receive_re_enables_it() {
    ledger::a_failing_receive_re_enables_it(ByMessage::of);
}

#[test]
fn r097_data_is_posted_once_until_a_receive() {
    ledger::data_is_reported_once(ByMessage::of);
}

#[test]
fn r097_data_out_of_band_but_inline_is_fd_read() {
    ledger::data_out_of_band_but_inline_is_fd_read(ByMessage::of);
}

#[test]
fn r097_data_out_of_band_is_posted_once_as_fd_oob() {
    ledger::data_out_of_band_is_fd_oob(ByMessage::of);
}

#[test]
fn r097_select_and_poll_do_not_disturb_it() {
    ledger::select_does_not_disturb_it(ByMessage::of);
}

#[test]
fn r097_any_receive_re_enables_it_and_what_is_left_is_posted() {
    ledger::any_receive_re_enables_it_and_what_is_left_is_reported(ByMessage::of);
}

#[test]
fn r097_connections_are_posted_one_by_one() {
    ledger::connections_are_reported_one_by_one(ByMessage::of);
}

#[test]
fn r097_datagrams_are_posted_one_by_one() {
    ledger::datagrams_are_reported_one_by_one(ByMessage::of);
}

#[test]
fn r097_each_receive_that_leaves_data_brings_one_message() {
    ledger::a_receive_before_anyone_looks_brings_one_report_more(ByMessage::of);
}

#[test]
fn r097_no_message_is_lost_between_threads() {
    ledger::no_report_is_lost(ByMessage::of);
}

#[test]
fn r097_room_comes_with_the_peers_reading() {
    ledger::room_comes_with_the_peers_reading(ByMessage::of);
}

#[test]
fn r097_room_is_posted_after_a_refused_send_only() {
    ledger::room_is_reported_after_a_refused_send_only(ByMessage::of);
}

#[test]
fn r097_a_connection_made_is_posted_with_its_room() {
    ledger::a_connection_made_is_reported_with_its_room(ByMessage::of);
}

#[test]
fn r097_a_refused_connection_is_posted_with_its_error() {
    ledger::a_refused_connection_is_reported_with_its_error(ByMessage::of);
}

#[test]
fn r097_a_second_attempt_is_posted_anew() {
    ledger::a_second_attempt_is_reported_anew(ByMessage::of);
}

#[test]
fn r097_a_peer_that_closes_is_posted_once() {
    ledger::a_peer_that_closes_is_reported_once(ByMessage::of);
}

#[test]
fn r097_a_peer_that_half_closes_is_posted_once() {
    ledger::a_peer_that_half_closes_is_reported_once(ByMessage::of);
}

#[test]
fn r097_other_shutdowns_are_no_news() {
    ledger::other_shutdowns_are_no_news(ByMessage::of);
}

#[test]
fn r100_a_close_is_posted_before_its_data_is_read() {
    ledger::a_close_is_reported_before_its_data_is_read(ByMessage::of);
}

#[test]
fn r100_data_and_close_in_one_go_are_both_posted() {
    ledger::data_and_close_in_one_go_are_both_reported(ByMessage::of);
}

#[test]
fn r097_a_reset_after_data_is_an_abort_too() {
    ledger::a_reset_after_data_is_an_abort_too(ByMessage::of);
}

#[test]
fn r097_a_reset_is_an_abort() {
    ledger::a_reset_is_an_abort(ByMessage::of);
}

#[test]
fn r097_only_what_is_selected_is_posted() {
    ledger::only_what_is_selected_is_reported(ByMessage::of);
}

#[test]
fn r097_what_holds_already_is_posted_at_once() {
    ledger::what_holds_already_is_reported_at_once(ByMessage::of);
}

#[test]
fn r097_a_pending_receive_takes_its_data_first() {
    ledger::a_pending_receive_takes_its_data_first(ByMessage::of);
}
