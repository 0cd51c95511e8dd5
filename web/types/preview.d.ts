export type Call = {
    method: string;
    path: string;
    status: number;
    note: string;
};
export type State = {
    extension_id: string;
    content_hash: string;
    entry: string;
    title: string;
    ui_origin: string;
    problem: string;
    /**
     * the last first
     */
    calls: Call[];
};
